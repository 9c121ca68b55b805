import fc from 'fast-check'
import { dayNumber, dayOfNumber, type DayHalf } from '../../subgraphs/hr/rules/half-days'
import {
  mondayOf,
  overtimeOfWeek,
  timeOff,
  worthOf,
  type Claim,
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
const claim = (workDate: string, minutes: number, kind: Claim['kind'] = 'DAILY', factor = '1.25'): Claim => ({
  workDate,
  minutes,
  kind,
  factor,
})
const holiday = (day: string, half: DayHalf = 'FULL') => ({ day, half, calendarId: null })
const found = (
  works: readonly EndedWork[],
  {
    claimed = [],
    holidays = [],
    rules = [rule],
  }: {
    claimed?: Claim[]
    holidays?: ReturnType<typeof holiday>[]
    rules?: DatedRule[]
  } = {},
) => {
  const monday = mondayOf(works[0]!.workDate)
  const planned = plannedDays([usualWeek], holidays, monday, dayOfNumber(dayNumber(monday) + 7))
  return overtimeOfWeek(rules, works, planned, claimed)
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
  expect(short(week, { rules: [short7], claimed: [claim('2027-09-06', 90)] })).toEqual([
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

test('what stands is compared by what it is worth, of its own kind first (10)', () => {
  const late = [work('2027-09-06', '13:30', '24:00', 30)]
  const claims = (...claimed: Claim[]) => short(late, { claimed })
  // 600 minutes: 120 beyond those owed, all in the night.
  expect(claims()).toEqual(['09-06 NIGHT 120 120 1.5'])
  // 120 × 1.25 are paid, 120 × 1.5 are due: 20 × 1.5 are left, 15 when they are rounded down.
  expect(claims(claim('2027-09-06', 120))).toEqual(['09-06 NIGHT 15 20 1.5'])
  expect(claims(claim('2027-09-06', 120, 'NIGHT', '1.5'))).toEqual([])
  // A factor that holds later, for the same minutes: 120 × 0.25.
  expect(claims(claim('2027-09-06', 120, 'NIGHT', '1.25'))).toEqual(['09-06 NIGHT 15 20 1.5'])
  // What is worth less by now is not taken back.
  expect(claims(claim('2027-09-06', 120, 'HOLIDAY', '2.5'))).toEqual([])
  const both = [work('2027-09-06', '13:00', '22:40', 30)]
  expect(short(both, { claimed: [claim('2027-09-06', 40, 'NIGHT', '1.5')] })).toEqual([
    '09-06 DAILY 30 30 1.25',
  ])
  expect(short(both, { claimed: [claim('2027-09-06', 30)] })).toEqual(['09-06 NIGHT 30 40 1.5'])
})

test('breaks are as long as they lasted, whatever the seconds of their ends (11)', () => {
  const evening = work('2027-09-06', '13:00', '23:00')
  const at = (time: string) => instantIn(zone, '2027-09-06', time).getTime()
  const pause = (from: string, seconds: number, length: number) => ({
    startedAt: new Date(at(from) + seconds * 1000).toISOString(),
    endedAt: new Date(at(from) + (seconds + length) * 1000).toISOString(),
  })
  const withBreaks = (breakMinutes: number, ...breaks: ReturnType<typeof pause>[]) =>
    short([{ ...evening, breakMinutes, breaks }], { rules: [{ ...rule, roundingMinutes: 1 }] })
  // 22:00:40 to 22:30:20 are 29 minutes of the night; 571 are worked.
  expect(withBreaks(29, pause('22:00', 40, 1780))).toEqual([
    '09-06 NIGHT 31 31 1.5',
    '09-06 DAILY 60 60 1.25',
  ])
  // Two of 90 seconds are three minutes.
  expect(withBreaks(3, pause('22:10', 50, 90), pause('22:20', 50, 90))).toEqual([
    '09-06 NIGHT 57 57 1.5',
    '09-06 DAILY 60 60 1.25',
  ])
  // A minute that begins within one and ends within another: as many are found as are worked.
  const odd = {
    ...evening,
    workDate: '2027-09-11',
    clockInAt: '2027-09-11T08:00:40Z',
    clockOutAt: '2027-09-11T09:00:20Z',
  }
  expect(short([odd], { rules: [{ ...rule, roundingMinutes: 1 }] })).toEqual(['09-11 DAILY 59 59 1.25'])
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
      (days, most) => {
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
        const kinds = ['DAILY', 'NIGHT', 'SUNDAY'] as const
        const claimed = works.map(({ workDate }, place) => {
          const kind = kinds[place % kinds.length]!
          return claim(workDate, most, kind, rule.factors[kind])
        })
        for (const { workDate } of works) {
          const one = works.find((some) => some.workDate === workDate)!
          const worked = (Date.parse(one.clockOutAt) - Date.parse(one.clockInAt)) / 60_000 - one.breakMinutes
          const isWorkday = dayNumber(workDate) < dayNumber('2027-10-30')
          const of = (roundingMinutes: number, claims: Claim[]) => {
            const all = found(works, {
              claimed: claims,
              rules: [{ ...rule, roundingMinutes, weeklyMinutes: null }],
            })
            const ofDay = all.filter((some) => some.workDate === workDate)
            expect(new Set(ofDay.map(({ kind }) => kind)).size).toBe(ofDay.length)
            return ofDay
          }
          const minutes = (some: { minutes: number }[]) =>
            some.reduce((total, each) => total + each.minutes, 0)
          const worth = (some: Pick<Claim, 'minutes' | 'factor'>[]) =>
            some.reduce((total, each) => total + worthOf(each), 0)
          const due = of(1, [])
          expect(minutes(due)).toBe(Math.max(0, worked - (isWorkday ? 480 : 0)))
          const rest = of(1, claimed)
          const stands = worth(claimed.filter((some) => some.workDate === workDate))
          expect(worth(rest)).toBeLessThanOrEqual(Math.max(0, worth(due) - stands))
          // Less than a minute of each kind falls off.
          expect(worth(rest)).toBeGreaterThan(Math.max(0, worth(due) - stands) - 3 * 250)
          expect(minutes(of(15, claimed))).toBe(minutes(rest) - (minutes(rest) % 15))
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
