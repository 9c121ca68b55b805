import fc from 'fast-check'
import {
  advanceAmount,
  changeLines,
  feeLines,
  linesOfChange,
  usageLines,
  type BilledLine,
  type Item,
} from '../../subgraphs/tenancy/rules/billing'
import { amountOf } from '../../subgraphs/tenancy/rules/invoice'
import { dayAfter, periodStart } from '../../subgraphs/tenancy/rules/period'

const price = { priceId: 'price', version: 1, tierMode: null, tiers: null }
const itemsOf = (fee: bigint, seat: bigint, seats: number): Item[] => [
  { ...price, meter: null, quantity: 1, unitAmount: String(fee) },
  { ...price, meter: 'SEATS', quantity: seats, unitAmount: String(seat) },
]
const sumOf = (lines: readonly BilledLine[]) => lines.reduce((sum, line) => sum + BigInt(amountOf(line)), 0n)

const cents = fc.bigInt({ min: 0n, max: 10n ** 9n })
const items = fc.tuple(cents, cents, fc.integer({ min: 1, max: 1000 })).map((parts) => itemsOf(...parts))
const periods = fc
  .tuple(fc.integer({ min: 0, max: 10_000 }), fc.constantFrom('MONTHLY' as const, 'ANNUAL' as const))
  .map(([days, interval]) => {
    const start = dayAfter('2020-01-31', days)
    return { start, end: periodStart(start, interval, 1) }
  })

test('fees of a period are those of its two parts, wherever it is cut', () => {
  fc.assert(
    fc.property(items, periods, fc.nat(400), (agreed, period, days) => {
      const cut = dayAfter(period.start, days)
      const before = feeLines('STARTER', agreed, period, { from: period.start, until: cut })
      const after = feeLines('STARTER', agreed, period, { from: cut, until: null })
      expect(sumOf(before) + sumOf(after)).toBe(advanceAmount(agreed))
    }),
  )
})

test('changes up and down in one instant cost nothing, and one to the same price neither', () => {
  fc.assert(
    fc.property(items, items, periods, fc.nat(40 * 86_400), (a, b, period, seconds) => {
      const at = new Date(Date.parse(`${period.start}T00:00:00Z`) + seconds * 1000)
      const change = (from: Item[], to: Item[]) =>
        sumOf(changeLines({ oldPlan: 'A', newPlan: 'B', old: from, new: to }, period, at))
      expect(change(a, b) + change(b, a)).toBe(0n)
      expect(change(a, a)).toBe(0n)
    }),
  )
})

describe('a change', () => {
  const term = {
    ...{ plan: 'STARTER', items: itemsOf(3100n, 0n, 1), billingInterval: 'MONTHLY' as const },
    ...{ anchor: '2026-03-01', billedFrom: '2026-04-01', trialEndsOn: null },
  }
  const changed = { plan: 'PROFESSIONAL', items: itemsOf(6200n, 0n, 1) }
  const amounts = (trialEndsOn: string | null, billedFrom: string, now: string) =>
    linesOfChange({ ...term, trialEndsOn, billedFrom }, changed, new Date(now)).map(
      ({ unitPrice }) => unitPrice,
    )

  test.each([
    ['in a billed period', null, '2026-04-01', '2026-03-11T00:00:00Z', ['-2100', '4200']],
    [
      'in a trial, of the days behind it',
      '2026-03-22',
      '2026-04-01',
      '2026-03-11T00:00:00Z',
      ['-1000', '2000'],
    ],
    ['in a period that is not billed yet', null, '2026-03-01', '2026-03-11T00:00:00Z', []],
    ['on the day of the next period', null, '2026-04-01', '2026-04-01T00:00:00Z', []],
  ])('%s', (_, trialEndsOn, billedFrom, now, expected) => {
    expect(amounts(trialEndsOn, billedFrom, now)).toEqual(expected)
  })
})

test('use is billed by tiers in parts of the smallest unit, and a meter without readings not at all', () => {
  const tiers = [
    { upTo: '1000', unitPrice: '0' },
    { upTo: null, unitPrice: '0.0004' },
  ]
  const metered: Item = {
    ...price,
    meter: 'API_CALLS',
    quantity: 1,
    unitAmount: '0',
    tierMode: 'GRADUATED',
    tiers,
  }
  const period = { start: '2026-03-01', end: '2026-04-01' }
  const lines = (used: [string, string][]) =>
    usageLines([metered, ...itemsOf(1n, 1n, 1)], new Map(used as ['API_CALLS', string][]), period, 2).map(
      ({ quantity, unitPrice }) => [quantity, unitPrice],
    )
  expect(lines([['API_CALLS', '1500']])).toEqual([
    ['1000', '0'],
    ['500', '0.04'],
  ])
  expect(lines([])).toEqual([])
})
