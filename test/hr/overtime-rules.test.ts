import fc from 'fast-check'
import { dayNumber, dayOfNumber, type DayHalf } from '../../subgraphs/hr/rules/half-days'
import {
  mondayOf,
  overtimeOfWeek,
  timeOff,
  type DatedRule,
  type EndedWork,
} from '../../subgraphs/hr/rules/overtime'
import { plannedDays, usualWeek } from '../../subgraphs/hr/rules/working-days'
import { instantIn } from '../../subgraphs/hr/rules/zone-time'

const zone = 'Europe/Berlin'
const rule: DatedRule = {
  validFrom: '2027-01-01',
  dailyMinutes: null,
  weeklyMinutes: 2400,
  weeklyCapMinutes: 2880,
  roundingMinutes: 15,
  nightFrom: '22:00',
  nightTo: '06:00',
  factors: { DAILY: '1.25', WEEKLY: '1.2', NIGHT: '1.5', SUNDAY: '1.75', HOLIDAY: '2.5' },
}
const work = (
  workDate: string,
  from: string,
  to: string,
  breakMinutes = 0,
  breaks: [string, string][] = [],
): EndedWork => {
  const at = (time: string) =>
    instantIn(zone, time < from ? dayOfNumber(dayNumber(workDate) + 1) : workDate, time).toISOString()
  return {
    id: `${workDate} ${from}`,
    workDate,
    timeZone: zone,
    clockInAt: at(from),
    clockOutAt: at(to),
    breakMinutes,
    breaks: breaks.map(([startedAt, endedAt]) => ({ startedAt: at(startedAt), endedAt: at(endedAt) })),
  }
}
const holiday = (day: string, half: DayHalf = 'FULL') => ({ day, half, calendarId: null })
const found = (
  works: readonly EndedWork[],
  {
    claimed = {},
    holidays = [],
    rules = [rule],
  }: {
    claimed?: Record<string, number>
    holidays?: ReturnType<typeof holiday>[]
    rules?: DatedRule[]
  } = {},
) => {
  const monday = mondayOf(works[0]!.workDate)
  const planned = plannedDays([usualWeek], holidays, monday, dayOfNumber(dayNumber(monday) + 7))
  return overtimeOfWeek(rules, works, planned, new Map(Object.entries(claimed)))
}
const short = (...values: Parameters<typeof found>) =>
  found(...values).map(({ workDate, kind, minutes, exactMinutes, factor }) =>
    [workDate.slice(5), kind, minutes, exactMinutes, factor].join(' '),
  )

test('the last minutes of a day beyond its threshold, rounded down as a whole', () => {
  expect(short([work('2027-09-06', '08:00', '17:14', 30)])).toEqual(['09-06 DAILY 30 44 1.25'])
  // 14 minutes are none.
  expect(short([work('2027-09-06', '08:00', '16:44', 30)])).toEqual([])
  // Until after 22:00: what falls off is worth least.
  expect(short([work('2027-09-06', '13:00', '22:40', 30)])).toEqual([
    '09-06 NIGHT 40 40 1.5',
    '09-06 DAILY 20 30 1.25',
  ])
  // The break that is known lies in the overtime: it is none.
  expect(short([work('2027-09-06', '13:00', '23:00', 60, [['22:00', '23:00']])])).toEqual([
    '09-06 DAILY 60 60 1.25',
  ])
  // Two records of one day.
  expect(short([work('2027-09-06', '06:00', '12:00'), work('2027-09-06', '13:00', '16:00')])).toEqual([
    '09-06 DAILY 60 60 1.25',
  ])
})

test('a minute has the kind that is worth most, by the clock of the place', () => {
  // Saturday, on which nothing is owed, into Sunday: the night of 25 hours (31 October 2027).
  expect(short([work('2027-10-30', '21:00', '06:30')])).toEqual([
    '10-30 SUNDAY 450 450 1.75',
    '10-30 NIGHT 120 120 1.5',
    '10-30 DAILY 60 60 1.25',
  ])
  // That of 23 hours.
  expect(short([work('2027-03-27', '22:00', '06:00')])).toEqual([
    '03-27 SUNDAY 300 300 1.75',
    '03-27 NIGHT 120 120 1.5',
  ])
  // Sunday into Monday.
  expect(short([work('2027-09-05', '22:00', '02:00')])).toEqual([
    '09-05 SUNDAY 120 120 1.75',
    '09-05 NIGHT 120 120 1.5',
  ])
  // A holiday is worth more than a Sunday; of half a one the other half is owed.
  expect(short([work('2027-10-03', '08:00', '12:00')], { holidays: [holiday('2027-10-03')] })).toEqual([
    '10-03 HOLIDAY 240 240 2.5',
  ])
  const eve = { holidays: [holiday('2027-12-24', 'AFTERNOON')] }
  expect(short([work('2027-12-24', '07:00', '13:00')], eve)).toEqual([
    '12-24 HOLIDAY 60 60 2.5',
    '12-24 DAILY 60 60 1.25',
  ])
})

test('the week has a threshold of its own, for what no day counted', () => {
  const short7 = { ...rule, dailyMinutes: 600 }
  const week = [6, 7, 8, 9, 10].map((day) =>
    work(`2027-09-${String(day).padStart(2, '0')}`, '08:00', '18:30'),
  )
  // 5 × 630: 30 of each day, then what goes beyond 2,400 of 600 a day.
  expect(short(week, { rules: [short7] })).toEqual([
    '09-06 DAILY 30 30 1.25',
    '09-07 DAILY 30 30 1.25',
    '09-08 DAILY 30 30 1.25',
    '09-09 DAILY 30 30 1.25',
    '09-10 WEEKLY 600 600 1.2',
    '09-10 DAILY 30 30 1.25',
  ])
  expect(
    found(week, { rules: [short7] })
      .filter(({ isOverCap }) => isOverCap)
      .map(({ workDate }) => workDate),
  ).toEqual(['2027-09-10', '2027-09-10'])
  // What was asked for or paid is not counted again, neither on its day nor for the week.
  expect(short(week, { rules: [short7], claimed: { '2027-09-06': 90 } })).toEqual([
    '09-07 DAILY 30 30 1.25',
    '09-08 DAILY 30 30 1.25',
    '09-09 DAILY 30 30 1.25',
    '09-10 WEEKLY 540 540 1.2',
    '09-10 DAILY 30 30 1.25',
  ])
  // Each day by the rule that holds on it; before the first one there is none.
  const later = {
    ...rule,
    validFrom: '2027-09-08',
    roundingMinutes: 60,
    factors: { ...rule.factors, DAILY: '2' },
  }
  expect(short(week.slice(0, 3), { rules: [later] })).toEqual(['09-08 DAILY 120 150 2'])
})

test('each minute counts once, whatever is worked and claimed', () => {
  const day = fc.record({
    at: fc.integer({ min: 0, max: 6 }),
    from: fc.integer({ min: 0, max: 900 }),
    length: fc.integer({ min: 1, max: 1000 }),
    pause: fc.integer({ min: 0, max: 60 }),
  })
  fc.assert(
    fc.property(
      fc.uniqueArray(day, { selector: ({ at }) => at, minLength: 1 }),
      fc.integer({ min: 0, max: 300 }),
      (days, claim) => {
        const works = days.map(({ at, from, length, pause }) => {
          const workDate = dayOfNumber(dayNumber('2027-10-25') + at)
          const start = instantIn(zone, workDate, '00:00').getTime() + from * 60_000
          return {
            id: workDate,
            workDate,
            timeZone: zone,
            clockInAt: new Date(start).toISOString(),
            clockOutAt: new Date(start + length * 60_000).toISOString(),
            breakMinutes: Math.min(pause, length),
            breaks: [],
          }
        })
        const claimed = Object.fromEntries(
          works.map(({ workDate, clockInAt, clockOutAt, breakMinutes }) => {
            const worked = (Date.parse(clockOutAt) - Date.parse(clockInAt)) / 60_000 - breakMinutes
            return [workDate, Math.min(claim, worked)]
          }),
        )
        for (const { workDate } of works) {
          const one = works.find((some) => some.workDate === workDate)!
          const worked = (Date.parse(one.clockOutAt) - Date.parse(one.clockInAt)) / 60_000 - one.breakMinutes
          const isWorkday = dayNumber(workDate) < dayNumber('2027-10-30')
          const sum = (roundingMinutes: number) => {
            const all = found(works, { claimed, rules: [{ ...rule, roundingMinutes }] })
            const ofDay = all.filter((some) => some.workDate === workDate)
            expect(new Set(ofDay.map(({ kind }) => kind)).size).toBe(ofDay.length)
            return ofDay.reduce((total, some) => total + some.minutes, 0)
          }
          const exact = sum(1)
          expect(exact).toBeGreaterThanOrEqual(worked - (isWorkday ? 480 : 0) - claimed[workDate]!)
          expect(exact + claimed[workDate]!).toBeLessThanOrEqual(worked)
          expect(sum(15)).toBe(exact - (exact % 15))
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('time off is in days as long as one of the calendar, cut off to hundredths', () => {
  expect(timeOff(120, '1.25', usualWeek.minutes)).toBe(31)
  expect(timeOff(480, '1', usualWeek.minutes)).toBe(100)
  expect(timeOff(240, '1', [240, 240, 240, 0, 0, 0, 0])).toBe(100)
  expect(timeOff(480, '1', [0, 0, 0, 0, 0, 0, 0])).toBe(0)
})
