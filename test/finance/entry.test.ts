import fc from 'fast-check'
import { generalChart, normalSideOf, sideOf } from '../../subgraphs/finance/rules/chart-of-accounts'
import {
  converted,
  entryFault,
  entryNumberOf,
  opposite,
  valued,
  type Booking,
} from '../../subgraphs/finance/rules/entry'
import { resultOf, sectionOf, type AccountSum } from '../../subgraphs/finance/rules/statements'

const booking = (amount: string, currency = 'EUR', exchangeRate?: string): Booking => ({
  amount,
  currency,
  exchangeRate,
})

test.each([
  ['one posting', [booking('1')], /2 to 200/],
  ['201 postings', Array.from({ length: 201 }, () => booking('0')), /2 to 200/],
  ['debits that lack', [booking('100'), booking('-250')], /^Debits .* in EUR: debits lack 1\.50$/],
  [
    'credits that lack',
    [booking('2'), booking('-1', 'JPY'), booking('1', 'JPY')],
    /in EUR: credits lack 0\.02/,
  ],
  ['currencies that only add up together', [booking('1'), booking('-1', 'USD')], /EUR/],
])('no entry: %s', (_, postings, fault) => {
  expect(entryFault(postings)).toMatch(fault)
})

test('an entry adds up in each currency', () => {
  expect(
    entryFault([booking('5'), booking('-2'), booking('-3'), booking('7', 'USD'), booking('-7', 'USD')]),
  ).toBeNull()
})

test.each([
  ['100', 'USD', '0.9', 'EUR', '90'],
  ['1', 'USD', '0.5', 'EUR', '1'],
  ['-1', 'USD', '0.5', 'EUR', '-1'],
  ['1', 'USD', '0.49', 'EUR', '0'],
  // Yen have no decimals, Kuwaiti dinars three.
  ['1000', 'JPY', '0.0061', 'EUR', '610'],
  ['12345', 'EUR', '163.21', 'JPY', '20148'],
  ['100', 'EUR', '0.3', 'KWD', '300'],
])('%s %s at %s are %s in %s', (minor, from, rate, to, expected) => {
  expect(converted(minor, from, rate, to)).toBe(expected)
})

test('what conversion leaves is told, and never more than half a unit for each posting', () => {
  // Three thirds of a dollar at 0.95: 0.33 × 0.95 = 0.3135 → 0.31 each, 0.99 × 0.95 = 0.9405 → 0.94.
  const thirds = [booking('99', 'USD', '0.95'), ...[1, 2, 3].map(() => booking('-33', 'USD', '0.95'))]
  expect(valued(thirds, 'EUR')).toMatchObject({
    postings: [{ baseAmount: '94' }, { baseAmount: '-31' }, { baseAmount: '-31' }, { baseAmount: '-31' }],
    rounding: '-1',
  })
  const amounts = fc.array(fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(amounts, fc.integer({ min: 1, max: 10 ** 9 }), (some, millionths) => {
      const rate = `${Math.floor(millionths / 1e6)}.${String(millionths % 1e6).padStart(6, '0')}`
      const last = -some.reduce((sum, amount) => sum + amount, 0n)
      const postings = [...some, last].map((amount) => booking(String(amount), 'USD', rate))
      const result = valued(postings, 'EUR')
      if ('fault' in result) throw new Error(result.fault)
      const sum = result.postings.reduce((total, { baseAmount }) => total + BigInt(baseAmount!), 0n)
      expect(sum + BigInt(result.rounding)).toBe(0n)
      // An entry and its opposite are nothing, posting by posting, in both currencies.
      for (const posting of result.postings) {
        const back = opposite(posting)
        expect(BigInt(back.amount) + BigInt(posting.amount)).toBe(0n)
        expect(BigInt(back.baseAmount!) + BigInt(posting.baseAmount!)).toBe(0n)
      }
    }),
  )
})

test.each([
  [
    'rates that contradict each other',
    [booking('10000', 'USD', '0.9'), booking('-10000', 'USD', '0.8')],
    /contradict.*10\.00/,
  ],
  ['a rate that lacks', [booking('1', 'USD'), booking('-1', 'USD', '2')], /what one USD is in EUR/],
  [
    'a rate of the base currency',
    [booking('1', 'EUR', '2'), booking('-1', 'EUR')],
    /other currencies than EUR/,
  ],
])('cannot be converted: %s', (_, postings, fault) => {
  expect(valued(postings, 'EUR')).toMatchObject({ fault: expect.stringMatching(fault) })
})

test('a rate without a base currency is refused, and without both nothing is converted', () => {
  expect(valued([booking('1', 'USD', '2')], null)).toEqual({
    place: 0,
    fault: 'exchangeRate needs a baseCurrency',
  })
  expect(valued([booking('1'), booking('-1')], null)).toMatchObject({
    postings: [{ baseAmount: null }, { baseAmount: null }],
    rounding: '0',
  })
})

test('numbers tell the year and sort as they count', () => {
  expect(entryNumberOf(2026, 7)).toBe('2026-000007')
  expect(entryNumberOf(2026, '1234567')).toBe('2026-1234567')
})

test('the chart has each code and each purpose once, and sides that follow from the types', () => {
  const codes = generalChart.map(({ code }) => code)
  expect(codes).toEqual([...new Set(codes)].sort())
  const purposes = generalChart.flatMap((one) => ('purpose' in one ? [one.purpose] : []))
  expect(purposes).toHaveLength(new Set(purposes).size)
  expect(
    ['ASSET', 'EXPENSE', 'LIABILITY', 'EQUITY', 'INCOME'].map((type) => normalSideOf(type as 'ASSET')),
  ).toEqual(['DEBIT', 'DEBIT', 'CREDIT', 'CREDIT', 'CREDIT'])
  expect(sideOf({ type: 'ASSET', contra: true })).toBe('CREDIT')
  expect(sideOf({ type: 'INCOME', contra: true })).toBe('DEBIT')
})

test('assets are liabilities, equity and result together, whatever was posted', () => {
  const types = ['ASSET', 'LIABILITY', 'EQUITY', 'INCOME', 'EXPENSE'] as const
  const move = fc.tuple(fc.nat(4), fc.nat(4), fc.bigInt({ min: 1n, max: 10n ** 12n }))
  fc.assert(
    fc.property(fc.array(move), (moves) => {
      const sums = types.map((type) => ({ accountId: type, type, debits: 0n, credits: 0n }))
      for (const [debit, credit, amount] of moves) {
        sums[debit]!.debits += amount
        sums[credit]!.credits += amount
      }
      const rows: AccountSum[] = sums.map((sum) => ({
        ...sum,
        debits: `${sum.debits}`,
        credits: `${sum.credits}`,
      }))
      const total = (type: AccountSum['type']) => BigInt(sectionOf(rows, type).total)
      expect(total('ASSET')).toBe(total('LIABILITY') + total('EQUITY') + BigInt(resultOf(rows)))
    }),
  )
})
