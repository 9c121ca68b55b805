import fc from 'fast-check'
import { currencyDecimals } from '../../kernel/schema/currencies'
import { UserErrors } from '../../kernel/errors'
import { money, moneyColumns, parseMoney } from '../../kernel/money'

const largest = 9_223_372_036_854_775_807n

/** The user error that refuses an amount. */
function refusal(amount: string, currency: string): string {
  try {
    parseMoney({ amount, currency }, 'price')
  } catch (error) {
    if (!(error instanceof UserErrors)) throw error
    expect(error.errors).toEqual([{ code: 'INVALID', message: expect.any(String), field: ['price'] }])
    return error.errors[0]!.message
  }
  throw new Error('The amount was accepted')
}

describe('a stored amount', () => {
  test.each([
    ['0', 'EUR', '0.00'],
    ['5', 'EUR', '0.05'],
    ['-5', 'EUR', '-0.05'],
    ['123456', 'EUR', '1234.56'],
    ['-100', 'EUR', '-1.00'],
    ['12', 'JPY', '12'],
    ['-12', 'JPY', '-12'],
    ['1', 'KWD', '0.001'],
    ['-12345', 'KWD', '-12.345'],
    [String(largest), 'EUR', '92233720368547758.07'],
  ])('%s in %s is given as the decimal of its currency', (minor, currency, amount) => {
    expect(money(minor, currency)).toEqual({ amount, currency })
  })

  test('is null where either column is', () => {
    expect(money(null, 'EUR')).toBeNull()
    expect(money('1', null)).toBeNull()
    expect(money(undefined, undefined)).toBeNull()
  })

  test('that is none fails aloud', () => {
    expect(() => money('1.5', 'EUR')).toThrow('Not a stored amount')
    expect(() => money('1', 'XAU')).toThrow('Not a stored amount')
  })
})

describe('a given amount', () => {
  test.each([
    ['12', 'EUR', '1200'],
    ['12.5', 'EUR', '1250'],
    ['12.50', 'EUR', '1250'],
    ['12.500', 'EUR', '1250'],
    ['-0.01', 'EUR', '-1'],
    ['-0', 'EUR', '0'],
    ['-0.00', 'EUR', '0'],
    ['0.10', 'EUR', '10'],
    ['1.0', 'JPY', '1'],
    ['1.001', 'BHD', '1001'],
    ['92233720368547758.07', 'EUR', String(largest)],
    ['-92233720368547758.07', 'EUR', String(-largest)],
  ])('%s %s is stored as %s', (amount, currency, minor) => {
    expect(parseMoney({ amount, currency })).toEqual({ minor, currency })
  })

  test.each([
    ['0.001', 'EUR', 'price must have at most 2 decimals in EUR'],
    ['0.5', 'JPY', 'price must have at most 0 decimals in JPY'],
    ['0.0001', 'KWD', 'price must have at most 3 decimals in KWD'],
    ['92233720368547758.08', 'EUR', 'price is too large'],
    ['-92233720368547758.08', 'EUR', 'price is too large'],
    ['9223372036854775808', 'JPY', 'price is too large'],
    ['1', 'XAU', 'price is in no known currency'],
    ['1', 'eur', 'price is in no known currency'],
    ...['', '-', '.5', '5.', '+1', '1e3', '1,5', ' 1', '1\n', '0x1', 'NaN', '١', '9'.repeat(41)].map(
      (amount) => [amount, 'EUR', 'price must be a decimal number'],
    ),
  ] as [string, string, string][])('%j %s is refused', (amount, currency, message) => {
    expect(refusal(amount, currency)).toBe(message)
  })
})

const anyMinor = fc.bigInt({ min: -largest, max: largest }).map(String)
const anyCurrency = fc.constantFrom(...currencyDecimals.keys())

test('every amount that can be stored comes back as it was', () => {
  fc.assert(
    fc.property(anyMinor, anyCurrency, (minor, currency) => {
      expect(parseMoney(money(minor, currency))).toEqual({ minor, currency })
    }),
  )
})

test('every amount can be reversed', () => {
  fc.assert(
    fc.property(anyMinor, anyCurrency, (minor, currency) => {
      const { amount } = money(minor, currency)
      const reversed = amount.startsWith('-') ? amount.slice(1) : `-${amount}`
      expect(BigInt(parseMoney({ amount: reversed, currency }).minor)).toBe(-BigInt(minor))
    }),
  )
})

test('two columns are left alone, emptied or written together', () => {
  expect(moneyColumns(undefined, 'salary', 'currency')).toEqual({})
  expect(moneyColumns(null, 'salary', 'currency')).toEqual({ salary: null, currency: null })
  expect(moneyColumns({ amount: '1', currency: 'JPY' }, 'salary', 'currency')).toEqual({
    salary: '1',
    currency: 'JPY',
  })
})

describe('the currencies', () => {
  test('are three capitals each, once, and neither metals nor units of account', () => {
    expect(currencyDecimals.size).toBe(161)
    for (const code of currencyDecimals.keys()) expect(code).toMatch(/^[A-Z]{3}$/)
    for (const code of ['XAU', 'XDR', 'XXX', 'XTS', 'CHE', 'CLF'])
      expect(currencyDecimals.has(code)).toBe(false)
  })

  test('have the decimals of ISO 4217 and not those of custom', () => {
    const expected = {
      HUF: 2,
      IDR: 2,
      COP: 2,
      PKR: 2,
      IQD: 3,
      TND: 3,
      JPY: 0,
      KRW: 0,
      XOF: 0,
      ISK: 0,
      EUR: 2,
    }
    expect(
      Object.fromEntries(Object.keys(expected).map((code) => [code, currencyDecimals.get(code)])),
    ).toEqual(expected)
  })
})
