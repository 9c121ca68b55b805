/** Most decimals of a unit price, in the currency's main unit. */
export const priceDecimals = 12

/** A decimal as a whole number of its last places; digits beyond them are cut off. */
export function scaled(decimal: string, places: number): bigint {
  const [whole = '0', fraction = ''] = decimal.split('.')
  return BigInt(whole + fraction.slice(0, places).padEnd(places, '0'))
}

/** The decimal text of a whole number of last places, without needless digits. */
export function unscaled(value: bigint, places: number): string {
  const sign = value < 0n ? '-' : ''
  const digits = String(value < 0n ? -value : value).padStart(places + 1, '0')
  const point = digits.length - places
  const fraction = digits.slice(point).replace(/0+$/, '')
  return `${sign}${digits.slice(0, point)}${fraction && `.${fraction}`}`
}

/** A quotient to the nearest whole number, halves away from zero. The divisor is more than nothing. */
export function divided(dividend: bigint, divisor: bigint): bigint {
  const half = divisor / 2n
  return (dividend < 0n ? dividend - half : dividend + half) / divisor
}

/** Moves the point of a decimal to the right, to the left for a negative number of places. */
export function shifted(decimal: string, places: number): string {
  const [, fraction = ''] = decimal.split('.')
  const value = scaled(decimal, fraction.length)
  const left = fraction.length - places
  return left >= 0 ? unscaled(value, left) : String(value * 10n ** BigInt(-left))
}

/** Returns how many decimals a number has that say something. */
export function decimalsOf(decimal: string): number {
  return (decimal.split('.')[1] ?? '').replace(/0+$/, '').length
}
