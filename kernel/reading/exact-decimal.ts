/** An exact decimal number: `units` divided by ten to the power of `scale`. */
export interface ExactDecimal {
  units: bigint
  scale: number
}

/** The number that PostgreSQL prints: digits with at most one point. Throws on anything else, such as NaN. */
export function exactDecimal(text: string): ExactDecimal {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? []
  if (whole === undefined) throw new Error(`Not a decimal number: ${text}`)
  return { units: BigInt(`${sign}${whole}${fraction}`), scale: fraction.length }
}

const scaledTo = ({ units, scale }: ExactDecimal, wanted: number): bigint =>
  units * 10n ** BigInt(wanted - scale)

export function sumOf(one: ExactDecimal, other: ExactDecimal): ExactDecimal {
  const scale = Math.max(one.scale, other.scale)
  return { units: scaledTo(one, scale) + scaledTo(other, scale), scale }
}

/** Compares as `Array.sort` wants it. */
export function compareDecimals(one: ExactDecimal, other: ExactDecimal): number {
  const scale = Math.max(one.scale, other.scale)
  const [a, b] = [scaledTo(one, scale), scaledTo(other, scale)]
  return a < b ? -1 : a > b ? 1 : 0
}

/** The quotient with `scale` decimals, rounded once: halves go to the even neighbour. */
export function meanOf(sum: ExactDecimal, count: number, scale: number): ExactDecimal {
  const wanted = Math.max(scale, sum.scale)
  const dividend = scaledTo(sum, wanted)
  const divisor = BigInt(count) * 10n ** BigInt(wanted - scale)
  const size = dividend < 0n ? -dividend : dividend
  let quotient = size / divisor
  const twice = (size % divisor) * 2n
  if (twice > divisor || (twice === divisor && quotient % 2n === 1n)) quotient += 1n
  return { units: dividend < 0n ? -quotient : quotient, scale }
}

/** The number as the scalar Decimal has it: without zeros at the end. */
export function decimalText({ units, scale }: ExactDecimal): string {
  const sign = units < 0n ? '-' : ''
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0')
  const point = digits.length - scale
  const fraction = digits.slice(point).replace(/0+$/, '')
  return `${sign}${digits.slice(0, point)}${fraction && `.${fraction}`}`
}
