import fc from 'fast-check'
import {
  amountOf,
  balanceOf,
  invoiceNumberOf,
  lineFault,
  settledStatus,
  totalsOf,
} from '../../subgraphs/tenancy/rules/invoice'
import { periodOn, periodStart } from '../../subgraphs/tenancy/rules/period'
import { onDay } from '../../subgraphs/tenancy/rules/subscription'

const days = fc
  .date({ min: new Date('1900-01-01'), max: new Date('2999-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10))
const intervals = fc.constantFrom('MONTHLY' as const, 'ANNUAL' as const)
const decimals = (most: number) =>
  fc.tuple(fc.nat(most), fc.nat(9999)).map(([whole, part]) => `${whole}.${String(part).padStart(4, '0')}`)
const cents = fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }).map(String)

describe('periods', () => {
  test.each([
    ['2026-01-31', ['2026-01-31', '2026-02-28', '2026-03-31', '2026-04-30', '2026-05-31']],
    ['2027-12-30', ['2027-12-30', '2028-01-30', '2028-02-29', '2028-03-30', '2028-04-30']],
    ['2026-11-15', ['2026-11-15', '2026-12-15', '2027-01-15', '2027-02-15', '2027-03-15']],
  ])('of a month from %s begin on %s', (anchor, starts) => {
    expect(starts.map((_, number) => periodStart(anchor, 'MONTHLY', number))).toEqual(starts)
  })

  test('of a year from a leap day begin on the last day of February', () => {
    expect([0, 1, 2, 3, 4].map((number) => periodStart('2024-02-29', 'ANNUAL', number))).toEqual([
      '2024-02-29',
      '2025-02-28',
      '2026-02-28',
      '2027-02-28',
      '2028-02-29',
    ])
  })

  test.each([
    ['2026-01-31', '2026-01-31', '2026-01-31', '2026-02-28'],
    ['2026-01-31', '2026-02-27', '2026-01-31', '2026-02-28'],
    ['2026-01-31', '2026-02-28', '2026-02-28', '2026-03-31'],
    ['2026-01-31', '2026-03-30', '2026-02-28', '2026-03-31'],
    ['2026-01-31', '2025-06-01', '2026-01-31', '2026-02-28'],
  ])('counted from %s, %s is in %s to %s', (anchor, day, start, end) => {
    expect(periodOn(anchor, 'MONTHLY', day)).toEqual({ start, end })
  })

  test('contain their day, follow each other without gap, and keep the day of the start where the month has it', () => {
    fc.assert(
      fc.property(days, intervals, fc.nat(1_200), (anchor, interval, number) => {
        const [start, end] = [number, number + 1].map((one) => periodStart(anchor, interval, one)) as [
          string,
          string,
        ]
        expect(start < end).toBe(true)
        expect(periodOn(anchor, interval, start)).toEqual({ start, end })
        expect(periodOn(anchor, interval, end).start).toBe(end)
        const [year, month] = start.split('-').map(Number) as [number, number]
        const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate()
        expect(Number(start.slice(8))).toBe(Math.min(Number(anchor.slice(8)), lastDay))
      }),
    )
  })

  test('contain any day from the start on', () => {
    fc.assert(
      fc.property(days, days, intervals, (one, other, interval) => {
        const [anchor, day] = one < other ? [one, other] : [other, one]
        const { start, end } = periodOn(anchor, interval, day)
        expect(start <= day && day < end).toBe(true)
      }),
    )
  })
})

describe('a subscription', () => {
  const term = {
    status: 'ACTIVE',
    startDate: '2026-01-31',
    endDate: null,
    billingInterval: 'MONTHLY',
  } as const

  test('is in the period of the day', () => {
    expect(onDay(term, '2026-03-30')).toEqual({
      status: 'ACTIVE',
      currentPeriodStart: '2026-02-28',
      currentPeriodEnd: '2026-03-31',
    })
  })

  test.each([
    ['2026-03-30', 'ACTIVE'],
    ['2026-03-31', 'CANCELLED'],
    ['2027-01-01', 'CANCELLED'],
  ])('with the end of 31 March is on %s %s, and keeps its last period', (day, status) => {
    expect(onDay({ ...term, endDate: '2026-03-31' }, day)).toEqual({
      status,
      currentPeriodStart: '2026-02-28',
      currentPeriodEnd: '2026-03-31',
    })
  })

  test('brought up to a day stays as it is when brought there again', () => {
    fc.assert(
      fc.property(days, fc.option(days), days, intervals, (startDate, endDate, day, billingInterval) => {
        const row = { ...term, startDate, endDate, billingInterval }
        const once = onDay(row, day)
        expect(onDay({ ...row, ...once }, day)).toEqual(once)
      }),
    )
  })
})

describe('amounts', () => {
  test.each([
    ['3', '1999', '5997'],
    ['0.5', '1', '1'],
    ['0.5', '-1', '-1'],
    ['0.4999', '1', '0'],
    ['2.5', '333', '833'],
    ['0.0001', '4999', '0'],
    ['0.0001', '5000', '1'],
    ['1000000000', '9223372036', '9223372036000000000'],
  ])('%s of %s are %s', (quantity, unitPrice, amount) => {
    expect(amountOf({ quantity, unitPrice })).toBe(amount)
  })

  test('are off by half a smallest unit at most, and opposite for opposite prices', () => {
    fc.assert(
      fc.property(decimals(100_000), cents, (quantity, unitPrice) => {
        const exact = BigInt(quantity.replace('.', '')) * BigInt(unitPrice)
        const off = BigInt(amountOf({ quantity, unitPrice })) * 10_000n - exact
        expect(off <= 5_000n && off >= -5_000n).toBe(true)
        const opposite = amountOf({ quantity, unitPrice: String(-BigInt(unitPrice)) })
        expect(BigInt(opposite)).toBe(-BigInt(amountOf({ quantity, unitPrice })))
      }),
    )
  })
})

describe('totals', () => {
  test('tax is rounded once for each rate', () => {
    const line = { amount: '5', taxRate: '10' }
    // One cent of tax for each line alone, one and a half for both.
    expect(totalsOf([line])).toEqual({ subtotal: '5', tax: '1', total: '6' })
    expect(totalsOf([line, line])).toEqual({ subtotal: '10', tax: '1', total: '11' })
    expect(totalsOf([line, { ...line, taxRate: '10.0' }, line])).toMatchObject({ tax: '2' })
    expect(totalsOf([line, { ...line, taxRate: '9.9999' }])).toMatchObject({ tax: '1' })
  })

  test('add up, whatever the order of lines, and however they are split', () => {
    const lines = fc.array(
      fc.record({ amount: cents, taxRate: fc.constantFrom('0', '7', '7.00', '19', '7.25') }),
      { minLength: 1, maxLength: 20 },
    )
    fc.assert(
      fc.property(lines, cents, (some, part) => {
        const totals = totalsOf(some)
        expect(BigInt(totals.subtotal)).toBe(some.reduce((sum, { amount }) => sum + BigInt(amount), 0n))
        expect(BigInt(totals.total)).toBe(BigInt(totals.subtotal) + BigInt(totals.tax))
        expect(totalsOf([...some].reverse())).toEqual(totals)
        const [first, ...rest] = some as [(typeof some)[0], ...typeof some]
        const left = String(BigInt(first.amount) - BigInt(part))
        expect(totalsOf([{ ...first, amount: part }, { ...first, amount: left }, ...rest])).toEqual(totals)
      }),
    )
  })

  test('what is paid and what is left are the total, and the status says which is nothing', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), fc.nat(100), (total, percent) => {
        const paid = (total * BigInt(percent)) / 100n
        const left = BigInt(
          balanceOf({
            total: String(total),
            amountPaid: String(paid),
            amountCredited: '0',
            status: 'ISSUED',
          }),
        )
        expect(left + paid).toBe(total)
        const status = left === 0n ? 'PAID' : paid === 0n ? 'ISSUED' : 'PARTLY_PAID'
        expect(settledStatus(String(total), String(paid))).toBe(status)
      }),
    )
  })
})

test.each([
  [1, 'INV-000001'],
  [999_999, 'INV-999999'],
  [1_000_000, 'INV-1000000'],
])('the invoice at place %s is %s', (place, number) => {
  expect(invoiceNumberOf(place)).toBe(number)
})

test.each([
  [{}, null],
  [{ quantity: '0.0001', taxRate: '100' }, null],
  [{ quantity: '1000000000' }, null],
  [{ description: ' ' }, 'description'],
  [{ description: 'x'.repeat(501) }, 'description'],
  [{ quantity: '0' }, 'quantity'],
  [{ quantity: '-1' }, 'quantity'],
  [{ quantity: '0.00001' }, 'quantity'],
  [{ quantity: '1000000000.0001' }, 'quantity'],
  [{ taxRate: '-0.1' }, 'taxRate'],
  [{ taxRate: '100.0001' }, 'taxRate'],
])('a line with %j has its fault in %s', (values, field) => {
  const line = { description: 'Seats', quantity: '1', taxRate: '0', ...values }
  expect(lineFault(line)?.field ?? null).toBe(field)
})
