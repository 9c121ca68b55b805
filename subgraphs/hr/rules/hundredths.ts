/** A decimal number with two decimals at most, as whole hundredths: sums of them are exact. */
export function hundredthsOf(decimal: string): number {
  const [, sign, whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d{1,2})0*)?$/.exec(decimal) ?? []
  if (!whole) throw new Error(`Not a number with two decimals: ${decimal}`)
  const size = Number(whole) * 100 + Number(fraction.padEnd(2, '0'))
  return sign && size > 0 ? -size : size
}

/** Hundredths as a decimal number without zeros at its end: `2.5`. */
export function decimalOf(hundredths: number): string {
  const size = Math.abs(hundredths)
  const fraction = String(size % 100)
    .padStart(2, '0')
    .replace(/0+$/, '')
  return `${hundredths < 0 ? '-' : ''}${Math.floor(size / 100)}${fraction && `.${fraction}`}`
}
