import fc from 'fast-check'
import { dayNumber, dayOfNumber, weekdayOf } from '../../subgraphs/hr/rules/half-days'
import { decimalOf, hundredthsOf } from '../../subgraphs/hr/rules/hundredths'
import { accruals, carryOver, entitledDays } from '../../subgraphs/hr/rules/leave-accrual'
import { overspent } from '../../subgraphs/hr/rules/leave-balance'
import { leaveParts } from '../../subgraphs/hr/rules/leave-days'
import { calendarOn, plannedDays, usualWeek } from '../../subgraphs/hr/rules/working-days'
import { dayIn, instantIn } from '../../subgraphs/hr/rules/zone-time'

test('days of the week follow ISO 8601', () => {
  expect(['2026-11-28', '2000-02-29', '1969-12-31'].map((day) => weekdayOf(dayNumber(day)))).toEqual([
    5, 1, 2,
  ])
})

test('hundredths are exact', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -36600, max: 36600 }),
      (number) => hundredthsOf(decimalOf(number)) === number,
    ),
  )
  expect(['30', '-0.5', '2.50', '1.670'].map(hundredthsOf)).toEqual([3000, -50, 250, 167])
  expect(() => hundredthsOf('1.234')).toThrow('two decimals')
})

test.each([
  ['30', null, null, '30'],
  ['30', '2027-01-01', null, '30'],
  ['30', '2027-07-15', null, '13'],
  ['30', '2027-07-01', null, '15'],
  ['20', '2027-03-01', null, '17'],
  ['24', null, '2027-03-31', '6'],
  ['24', null, '2027-03-30', '4'],
  ['25', '2027-05-01', '2027-05-31', '2.08'],
  ['30', '2028-01-01', null, '0'],
  ['30', null, '2026-12-31', '0'],
  ['30', '2027-12-02', null, '0'],
])(
  'of %s days a year an employment from %s to %s gets %s of 2027',
  (annual, hireDate, terminationDate, days) => {
    expect(entitledDays(annual, { hireDate, terminationDate }, 2027)).toBe(days)
  },
)

test('twelve months give the year, whatever it is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 36600 }), (annual) => {
      const employment = { hireDate: null, terminationDate: null }
      const given = accruals('MONTHLY', decimalOf(annual), employment, 2027, '2027-12-31')
      return given.reduce((sum, { days }) => sum + hundredthsOf(days), 0) === annual
    }),
  )
})

test('the days of the next year are given from October on', () => {
  const of = (today: string) =>
    accruals('ANNUAL', '30', { hireDate: null, terminationDate: null }, 2028, today)
  expect(of('2027-09-30')).toEqual([])
  expect(of('2027-10-01')).toEqual([{ effectiveOn: '2028-01-01', days: '30' }])
})

test('what goes over and what lapses is what there was', () => {
  expect(carryOver(2500, 1000)).toEqual({ kept: 1000, lapsed: 1500 })
  expect(carryOver(300, 1000)).toEqual({ kept: 300, lapsed: 0 })
  expect(carryOver(-200, 1000)).toEqual({ kept: 0, lapsed: 0 })
})

test('leave takes each half of a worked day once, and its parts are of one year each', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 800 }), fc.integer({ min: 0, max: 60 }), (offset, length) => {
      const first = dayNumber('2026-06-01') + offset
      const [startDate, endDate] = [dayOfNumber(first), dayOfNumber(first + length)]
      const days = plannedDays([], [], startDate, endDate)
      const parts = leaveParts({ startDate, startHalf: 'FULL', endDate, endHalf: 'FULL' }, days)
      const worked = days.filter(({ minutes }) => minutes > 0).length
      const years = parts.map(({ from }) => from.slice(0, 4))
      return (
        parts.reduce((sum, part) => sum + hundredthsOf(part.days), 0) === worked * 100 &&
        new Set(years).size === years.length
      )
    }),
  )
})

test('leave in the future keeps its days', () => {
  const known = [
    { on: '2027-01-01', hundredths: 1000 },
    { on: '2027-12-01', hundredths: -800 },
  ]
  expect(overspent(known, [{ on: '2027-06-01', hundredths: -200 }])).toBe(0)
  expect(overspent(known, [{ on: '2027-06-01', hundredths: -300 }])).toBe(100)
  // What is given later does not pay for what is used before.
  expect(overspent([{ on: '2027-07-01', hundredths: 500 }], [{ on: '2027-06-01', hundredths: -100 }])).toBe(
    100,
  )
  expect(overspent([{ on: '2027-06-01', hundredths: 100 }], [{ on: '2027-06-01', hundredths: -100 }])).toBe(0)
})

test('the calendar of a date is the last one assigned until then', () => {
  const of = (id: string, validFrom: string | null) => ({ ...usualWeek, id, validFrom })
  const calendars = [of('b', '2027-07-01'), of('default', null), of('a', '2027-01-01')]
  expect(
    ['2026-12-31', '2027-01-01', '2027-06-30', '2027-07-01'].map((day) => calendarOn(calendars, day).id),
  ).toEqual(['default', 'a', 'a', 'b'])
  expect(calendarOn([], '2027-01-01')).toBe(usualWeek)
})

test.each([
  ['Europe/Berlin', '2027-03-28', '22:00', '2027-03-28T20:00:00.000Z'],
  ['Europe/Berlin', '2027-03-27', '22:00', '2027-03-27T21:00:00.000Z'],
  // Left out: the instant of the jump, as far behind 01:59 as 02:30 is.
  ['Europe/Berlin', '2027-03-28', '02:30', '2027-03-28T01:30:00.000Z'],
  // Shown twice: the first.
  ['Europe/Berlin', '2027-10-31', '02:30', '2027-10-31T00:30:00.000Z'],
  ['Europe/Berlin', '2027-10-31', '03:00', '2027-10-31T02:00:00.000Z'],
  ['Asia/Kathmandu', '2027-01-01', '00:00', '2026-12-31T18:15:00.000Z'],
  ['Pacific/Apia', '2011-12-31', '00:00', '2011-12-30T10:00:00.000Z'],
])('in %s it is %s %s at %s', (zone, day, time, instant) => {
  expect(instantIn(zone, day, time).toISOString()).toBe(instant)
})

test('the day is that of the zone', () => {
  const instant = new Date('2027-03-28T22:30:00Z')
  expect(['UTC', 'Europe/Berlin', 'America/New_York'].map((zone) => dayIn(zone, instant))).toEqual([
    '2027-03-28',
    '2027-03-29',
    '2027-03-28',
  ])
})
