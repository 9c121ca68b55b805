import fc from 'fast-check'
import { divided, scaled, shifted, unscaled } from '../../subgraphs/tenancy/rules/decimal'
import { amountOf } from '../../subgraphs/tenancy/rules/invoice'
import { periodOn, periodStart } from '../../subgraphs/tenancy/rules/period'
import { prorate, shareOut, spanOf, unusedPart } from '../../subgraphs/tenancy/rules/proration'
import { pricedParts, tiersFault, type Tier } from '../../subgraphs/tenancy/rules/tiers'

const day = 86_400_000
const amounts = fc.bigInt({ min: 0n, max: 10n ** 15n })
const starts = fc
  .date({ min: new Date('1970-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10))
const periods = fc
  .tuple(starts, fc.constantFrom('MONTHLY' as const, 'ANNUAL' as const), fc.nat(30))
  .map(([anchor, interval, number]) => ({
    start: periodStart(anchor, interval, number),
    end: periodStart(anchor, interval, number + 1),
  }))
const within = fc.tuple(periods, fc.double({ min: 0, max: 1, noNaN: true })).map(([days, share]) => {
  const period = spanOf(days)
  return { period, at: period.start + Math.floor((period.end - period.start) * share) }
})

describe('decimals', () => {
  test.each([
    ['12.5', 2, '1250'],
    ['0.0004', 2, '0.04'],
    ['-0.000000000001', 3, '-0.000000001'],
    ['1250', -2, '12.5'],
    ['-5', -2, '-0.05'],
    ['0', 5, '0'],
    ['7', 0, '7'],
  ])('%s with its point moved by %i is %s', (decimal, places, moved) => {
    expect(shifted(decimal, places)).toBe(moved)
  })

  test('a point that is moved and moved back is where it was, and a half is rounded away from zero', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
        fc.nat(12),
        fc.integer({ min: -6, max: 6 }),
        (value, places, by) => {
          const decimal = unscaled(value, places)
          expect(scaled(decimal, places)).toBe(value)
          expect(shifted(shifted(decimal, by), -by)).toBe(decimal)
        },
      ),
    )
    expect([-5n, -4n, -3n, 3n, 4n, 5n].map((value) => divided(value, 2n))).toEqual([
      -3n,
      -2n,
      -2n,
      2n,
      2n,
      3n,
    ])
    expect([1n, 2n, 4n, 5n, -2n].map((value) => divided(value, 3n))).toEqual([0n, 1n, 1n, 2n, -1n])
  })

  test('B7: a million of four hundredths of a cent cost 400 dollars, and only the amount is rounded', () => {
    expect(amountOf({ quantity: '1000000', unitPrice: shifted('0.0004', 2) })).toBe('40000')
    expect(amountOf({ quantity: '3', unitPrice: shifted('0.000000000001', 2) })).toBe('0')
    expect(amountOf({ quantity: '1000000000', unitPrice: shifted('0.000000000005', 2) })).toBe('1')
    expect(amountOf({ quantity: '1000000000', unitPrice: shifted('-0.000000000005', 2) })).toBe('-1')
  })
})

describe('proration by the second', () => {
  const march = spanOf({ start: '2026-03-01', end: '2026-04-01' })

  test.each([
    ['at the start, all', march.start, -31_00n, 62_00n],
    ['after one of 31 days', march.start + day, -30_00n, 60_00n],
    [
      'a second later, less by what a second costs, which rounds away',
      march.start + day + 1000,
      -30_00n,
      60_00n,
    ],
    ['after half a day', march.start + day / 2, -30_50n, 61_00n],
    ['in the last second', march.end - 1000, 0n, 0n],
    ['at the end, nothing', march.end, 0n, 0n],
    ['within the first second, which counts as not begun', march.start + 999, -31_00n, 62_00n],
  ])('%s', (_, at, credit, charge) => {
    expect(prorate({ period: march, at, from: 31_00n, to: 62_00n })).toEqual({ credit, charge })
  })

  test('of a yen price on a leap day', () => {
    const february = spanOf({ start: '2028-02-01', end: '2028-03-01' })
    const at = Date.parse('2028-02-29T00:00:00.000Z')
    expect(prorate({ period: february, at, from: 2900n, to: 1000n })).toEqual({ credit: -100n, charge: 34n })
  })

  test('up and down in one instant nets to zero', () => {
    fc.assert(
      fc.property(within, amounts, amounts, ({ period, at }, from, to) => {
        const up = prorate({ period, at, from, to })
        const down = prorate({ period, at, from: to, to: from })
        expect(up.credit + up.charge + down.credit + down.charge).toBe(0n)
      }),
    )
  })

  test('changes between equal prices cost what the period costs, however many there are and whenever', () => {
    const histories = fc.tuple(
      periods,
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 }),
    )
    fc.assert(
      fc.property(histories, amounts, ([days, shares], price) => {
        const period = spanOf(days)
        let billed = price
        for (const share of shares.sort((a, b) => a - b)) {
          const at = period.start + Math.floor((period.end - period.start) * share)
          const { credit, charge } = prorate({ period, at, from: price, to: price })
          billed += credit + charge
        }
        expect(billed).toBe(price)
      }),
    )
  })

  test('what is used and what is left are the whole, never below nothing, and less with time', () => {
    fc.assert(
      fc.property(within, fc.nat(10 * day), amounts, ({ period, at }, later, price) => {
        const left = unusedPart(price, period, at)
        expect(left >= 0n && left <= price).toBe(true)
        expect(unusedPart(price, period, at + later) <= left).toBe(true)
        expect(unusedPart(-price, period, at)).toBe(-left)
      }),
    )
  })
})

describe('an amount in parts', () => {
  test.each([
    [100n, [1n, 1n, 1n], [34n, 33n, 33n]],
    [-100n, [1n, 1n, 1n], [-34n, -33n, -33n]],
    [10n, [0n, 3n, 7n], [0n, 3n, 7n]],
    [5n, [2n, 2n, 1n, 1n], [2n, 1n, 1n, 1n]],
    [0n, [1n, 2n], [0n, 0n]],
  ])('%p by %p is %p', (amount, weights, parts) => {
    expect(shareOut(amount, weights)).toEqual(parts)
  })

  test('adds up to the whole, and no part is off by a whole unit', () => {
    const weights = fc.array(fc.bigInt({ min: 0n, max: 10n ** 9n }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
        weights.filter((all) => all.some((weight) => weight > 0n)),
        (amount, all) => {
          const sum = all.reduce((total, weight) => total + weight, 0n)
          const parts = shareOut(amount, all)
          expect(parts.reduce((total, part) => total + part, 0n)).toBe(amount)
          for (const [place, part] of parts.entries()) {
            const off = part * sum - amount * all[place]!
            expect(off < sum && off > -sum).toBe(true)
          }
        },
      ),
    )
  })

  test('of no weight there is none', () => {
    expect(() => shareOut(1n, [])).toThrow('Weights must not be negative')
    expect(() => shareOut(1n, [0n])).toThrow('Weights must not be negative')
    expect(() => shareOut(1n, [2n, -1n])).toThrow('Weights must not be negative')
  })
})

describe('tiers', () => {
  const tiers: Tier[] = [
    { upTo: '100', unitPrice: '0.10' },
    { upTo: '1000', unitPrice: '0.05', flatPrice: '5' },
    { upTo: null, unitPrice: '0.0004' },
  ]

  test.each([
    ['0', [], []],
    ['100', [['100', '0.10']], [['100', '0.10']]],
    [
      '100.0001',
      [
        ['100', '0.10'],
        ['0.0001', '0.05'],
        ['1', '5'],
      ],
      [
        ['100.0001', '0.05'],
        ['1', '5'],
      ],
    ],
    [
      '1000',
      [
        ['100', '0.10'],
        ['900', '0.05'],
        ['1', '5'],
      ],
      [
        ['1000', '0.05'],
        ['1', '5'],
      ],
    ],
    [
      '5000',
      [
        ['100', '0.10'],
        ['900', '0.05'],
        ['1', '5'],
        ['4000', '0.0004'],
      ],
      [['5000', '0.0004']],
    ],
  ])('price %s by parts, or as a whole', (quantity, graduated, volume) => {
    const shown = (mode: 'GRADUATED' | 'VOLUME') =>
      pricedParts(mode, tiers, quantity).map((part) => [part.quantity, part.unitPrice])
    expect(shown('GRADUATED')).toEqual(graduated)
    expect(shown('VOLUME')).toEqual(volume)
  })

  const last = { upTo: null, unitPrice: '1' }
  test.each([
    ['no list', {}, 'must be a list of 1 to 50 tiers'],
    ['no tier', [], 'must be a list of 1 to 50 tiers'],
    ['an end in the last tier', [{ upTo: '5', unitPrice: '1' }], 'must cover all quantities'],
    ['no end before the last', [last, last], 'must cover all quantities'],
    ['an end at the start', [{ upTo: '0', unitPrice: '1' }, last], 'in tier 1: upTo must be more'],
    [
      'the same end twice',
      [{ upTo: '5', unitPrice: '1' }, { upTo: '5.0', unitPrice: '1' }, last],
      'in tier 2: upTo must be more',
    ],
    ['a number', [{ upTo: null, unitPrice: 1 }], 'prices must be texts'],
    ['a negative price', [{ upTo: null, unitPrice: '-1' }], 'prices must be texts'],
    ['13 decimals', [{ upTo: null, unitPrice: '0.0000000000001' }], 'at most 12 decimals'],
    ['an end of 5 decimals', [{ upTo: '1.00001', unitPrice: '1' }, last], 'at most 4 decimals'],
    ['a member that nobody knows', [{ upTo: null, unitPrice: '1', price: '1' }], 'price is none of'],
    ['a list as tier', [[]], 'it must be an object'],
  ])('are none: %s', (_, given, fault) => {
    expect(tiersFault(given)).toContain(fault)
  })

  const lists = fc
    .tuple(
      fc.uniqueArray(fc.integer({ min: 1, max: 10 ** 9 }), { maxLength: 8 }),
      fc.array(fc.bigInt({ min: 0n, max: 10n ** 14n }), { minLength: 9, maxLength: 9 }),
    )
    .map(([ends, prices]): Tier[] => {
      const upTo = ends.sort((a, b) => a - b).map((end) => unscaled(BigInt(end), 4))
      return [...upTo, null].map((end, place) => ({ upTo: end, unitPrice: unscaled(prices[place]!, 12) }))
    })

  test('cover every quantity once: the parts are the whole, in either mode', () => {
    const quantities = fc.bigInt({ min: 0n, max: 2n * 10n ** 9n })
    fc.assert(
      fc.property(
        lists,
        quantities,
        fc.constantFrom('GRADUATED' as const, 'VOLUME' as const),
        (list, whole, mode) => {
          expect(tiersFault(list)).toBeNull()
          const parts = pricedParts(mode, list, unscaled(whole, 4))
          expect(parts.reduce((sum, { quantity }) => sum + scaled(quantity, 4), 0n)).toBe(whole)
          expect(parts.every(({ quantity }) => scaled(quantity, 4) > 0n)).toBe(true)
          if (mode === 'VOLUME') expect(parts.length).toBe(whole > 0n ? 1 : 0)
        },
      ),
    )
  })
})

test('periods follow each other without gap from any anchor, month ends and leap days included', () => {
  fc.assert(
    fc.property(
      starts,
      fc.constantFrom('MONTHLY' as const, 'ANNUAL' as const),
      fc.nat(60),
      (anchor, interval, number) => {
        const [start, end] = [
          periodStart(anchor, interval, number),
          periodStart(anchor, interval, number + 1),
        ]
        expect(periodOn(anchor, interval, start)).toEqual({ start, end })
        const lastDay = new Date(Date.parse(end) - day).toISOString().slice(0, 10)
        expect(periodOn(anchor, interval, lastDay)).toEqual({ start, end })
        expect(start.slice(8) === anchor.slice(8) || Number(anchor.slice(8)) > Number(start.slice(8))).toBe(
          true,
        )
      },
    ),
  )
})
