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
import { noReadings, type Meter, type Readings } from '../../subgraphs/tenancy/rules/meters'
import { dayAfter, periodStart } from '../../subgraphs/tenancy/rules/period'
import { profileOn, taxOn, type TaxProfile } from '../../subgraphs/tenancy/rules/tax'

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
    ...{ anchor: '2026-03-01', billedUntil: '2026-04-01', trialEndsOn: null, endDate: null },
  }
  const changed = { plan: 'PROFESSIONAL', items: itemsOf(6200n, 0n, 1) }
  const amounts = (
    trialEndsOn: string | null,
    billedUntil: string | null,
    now: string,
    endDate: string | null,
  ) =>
    linesOfChange({ ...term, trialEndsOn, billedUntil, endDate }, changed, new Date(now)).map(
      ({ unitPrice }) => unitPrice,
    )

  test.each([
    ['in a billed period', null, '2026-04-01', '2026-03-11', null, ['-2100', '4200']],
    ['in a trial, of the days behind it', '2026-03-22', '2026-04-01', '2026-03-11', null, ['-1000', '2000']],
    ['in a period that is not billed yet', null, '2026-03-01', '2026-03-11', null, []],
    ['before the first invoice', '2026-03-22', null, '2026-03-11', null, []],
    ['on the day of the next period', null, '2026-04-01', '2026-04-01', null, []],
    ['before the term ends in the period', null, '2026-04-01', '2026-03-11', '2026-03-21', ['-1000', '2000']],
    ['after the term has ended', null, '2026-04-01', '2026-03-21', '2026-03-21', []],
  ] as const)('%s', (_, trialEndsOn, billedUntil, day, endDate, expected) => {
    expect(amounts(trialEndsOn, billedUntil, `${day}T00:00:00Z`, endDate)).toEqual(expected)
  })
})

describe('use', () => {
  const metered = (
    included: string,
    unitPrice: string,
    tierMode: 'GRADUATED' | 'VOLUME' = 'GRADUATED',
  ): Item => ({
    ...{ ...price, meter: 'API_CALLS', quantity: 1, unitAmount: '0', tierMode },
    tiers: [
      { upTo: included, unitPrice: '0' },
      { upTo: null, unitPrice, flatPrice: '1' },
    ],
  })
  const period = { start: '2026-03-01', end: '2026-04-01' }
  const lines = (...spells: [Item[], Partial<Record<Meter, Partial<Readings>>>][]) =>
    [
      ...usageLines(
        spells.map(([agreed, all]) => ({
          items: [...agreed, ...itemsOf(1n, 1n, 1)],
          weight: 1n,
          readings: new Map(
            Object.entries(all).map(([meter, some]) => [meter as Meter, { ...noReadings, ...some }]),
          ),
        })),
        period,
        2,
      ).values(),
    ]
      .flat()
      .map(({ quantity, unitPrice }) => `${quantity} × ${unitPrice}`)
  const calls = (sum: string) => ({ API_CALLS: { sum } })

  test('is billed by tiers in parts of the smallest unit, and a meter without readings not at all', () => {
    expect(lines([[metered('1000', '0.0004')], calls('1500')])).toEqual(['1000 × 0', '500 × 0.04', '1 × 100'])
    expect(lines([[metered('1000', '0.0004')], {}])).toEqual([])
    expect(lines()).toEqual([])
  })

  test('is priced as agreed when it happened, and what is included is included once', () => {
    const [small, large] = [[metered('1000', '0.01')], [metered('5000', '0.02')]]
    // Each for half of the period: 500 and 2,500 are included. 1,500 under the one, 4,500 more under the other.
    expect(lines([small, calls('1500')], [large, calls('6000')])).toEqual([
      ...['1500 × 0', '1500 × 0', '3000 × 2', '1 × 100'],
    ])
    // Nothing more under the second costs nothing; use without a price neither.
    expect(lines([small, calls('3500')], [large, calls('3500')])).toEqual(['3000 × 0', '500 × 1', '1 × 100'])
    expect(lines([[], calls('1500')], [small, calls('1600')])).toEqual(['100 × 1'])
  })

  test('6: an hour of a larger plan includes the part of an hour, rounded up; a level is priced as agreed when it was reached', () => {
    const spell = (included: string, hours: bigint, meter: Meter, readings: Partial<Readings>) => ({
      items: [{ ...metered(included, '0.01'), meter }],
      readings: new Map([[meter, { ...noReadings, ...readings }]]),
      weight: hours,
    })
    const priced = (meter: Meter, before: Partial<Readings>, after: Partial<Readings>) =>
      [
        ...usageLines(
          [spell('1000', 719n, meter, before), spell('500000', 1n, meter, after)],
          period,
          2,
        ).values(),
      ].flatMap((all) => all.map(({ quantity, unitPrice }) => `${quantity} × ${unitPrice}`))
    // 1,000 × 719/720 + 500,000 × 1/720 = 1,693.06 are included.
    expect(priced('API_CALLS', { sum: '0' }, { sum: '400000' })).toEqual([
      '1694 × 0',
      '398306 × 1',
      '1 × 100',
    ])
    expect(priced('STORAGE_GB', { most: '900' }, { most: '900' })).toEqual(['900 × 0'])
  })

  test('by volume is priced by the tier of the whole, each part as agreed', () => {
    const volume = (unitPrice: string) => [metered('1000', unitPrice, 'VOLUME')]
    expect(lines([volume('0.01'), calls('800')], [volume('0.02'), calls('1200')])).toEqual([
      ...['800 × 1', '1 × 100', '400 × 2'],
    ])
  })

  test('of which the latest reading counts is priced as agreed when it was made', () => {
    const stored = (unitPrice: string): Item => ({ ...metered('0.0001', unitPrice), meter: 'STORED_RECORDS' })
    const read = (last: string, lastAt: string) => ({ STORED_RECORDS: { last, lastAt } })
    const early = read('50', '2026-03-02T00:00:00.000Z')
    expect(lines([[stored('0.01')], early], [[stored('0.05')], early]).slice(1)).toEqual([
      '49.9999 × 1',
      '1 × 100',
    ])
    const late = read('20', '2026-03-20T00:00:00.000Z')
    expect(lines([[stored('0.01')], early], [[stored('0.05')], late]).slice(1)).toEqual([
      '19.9999 × 5',
      '1 × 100',
    ])
  })

  test('cut into spells of the same prices costs what it costs uncut', () => {
    const part = fc.integer({ min: 0, max: 3000 })
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 6 }),
        fc.constantFrom('GRADUATED', 'VOLUME'),
        (parts, mode) => {
          const agreed = [metered('1000', '0.01', mode as 'VOLUME')]
          let sum = 0
          const spells = parts.map((one): [Item[], object] => [agreed, calls(String((sum += one)))])
          const amount = (all: string[]) =>
            all.reduce(
              (total, line) =>
                total +
                line
                  .split(' × ')
                  .map(Number)
                  .reduce((a, b) => a * b),
              0,
            )
          expect(amount(lines(...spells))).toBe(amount(lines([agreed, calls(String(sum))])))
        },
      ),
    )
  })
})

test('the tax of a day is the latest that has begun, and before all of them the first', () => {
  const profile = (validFrom: string, rate: string): TaxProfile => ({
    ...{ validFrom, rate, treatment: 'STANDARD', taxId: null, reason: null },
  })
  const all = [profile('2026-01-01', '19'), profile('2026-07-01', '21')]
  const rates = ['2025-01-01', '2026-06-30', '2026-07-01'].map((day) => taxOn(all, day).taxRate)
  expect(rates).toEqual(['19', '19', '21'])
  expect(profileOn([], '2026-01-01')).toBeNull()
})
