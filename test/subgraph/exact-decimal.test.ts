import { compareDecimals, decimalText, exactDecimal, meanOf, sumOf } from '../../kernel/reading/exact-decimal'

const sum = (...texts: string[]) => texts.map(exactDecimal).reduce(sumOf)

test('sums are exact, whatever their size', () => {
  expect(decimalText(sum('0.1', '0.2', '-0.3'))).toBe('0')
  expect(decimalText(sum('9223372036854775807', '9223372036854775807', '0.000000000000000001'))).toBe(
    '18446744073709551614.000000000000000001',
  )
  expect(decimalText(sum('-0.5', '0.25'))).toBe('-0.25')
})

test.each([
  ['1', 2, 0, '0'],
  ['3', 2, 0, '2'],
  ['5', 2, 0, '2'],
  ['-3', 2, 0, '-2'],
  ['-5', 2, 0, '-2'],
  ['7', 2, 0, '4'],
  ['10', 3, 0, '3'],
  ['20', 3, 0, '7'],
  ['1', 3, 12, '0.333333333333'],
  ['2', 3, 12, '0.666666666667'],
  // Half a unit of the last place, and a trace more: rounded once, not at each decimal.
  ['0.0000000000005', 1, 12, '0'],
  ['0.0000000000015', 1, 12, '0.000000000002'],
  ['0.00000000000050001', 1, 12, '0.000000000001'],
])('the mean of %s over %d with %d decimals is %s', (total, count, scale, expected) => {
  expect(decimalText(meanOf(exactDecimal(total), count, scale))).toBe(expected)
})

test('numbers compare by value, and what is none is refused', () => {
  expect(compareDecimals(exactDecimal('1.50'), exactDecimal('1.5'))).toBe(0)
  expect(compareDecimals(exactDecimal('-2'), exactDecimal('1.5'))).toBe(-1)
  expect(() => exactDecimal('NaN')).toThrow('Not a decimal number: NaN')
})
