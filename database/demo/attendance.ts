import { minutesOfBreaks, workedMinutes } from '../../subgraphs/hr/rules/attendance-time'
import { dayNumber, dayOfNumber, weekdayOf } from '../../subgraphs/hr/rules/half-days'
import { instantIn } from '../../subgraphs/hr/rules/zone-time'
import { demoUserIds, type DemoSlug } from './ids'
import { seededId } from './random'
import { day, dayOf, instant, type DemoTable } from './table'
import { employeeId, places, userOf } from './work-time'

/** One stretch of work: times are those of the clocks of the place. */
interface DemoWork {
  place: number
  on: string
  from: string
  to: string
  /** The first and last minute of each break. */
  breaks?: readonly (readonly [from: string, to: string])[]
  values?: Readonly<Record<string, unknown>>
}

/** The work in which an employee of the demo data worked overtime. */
export const overtimeWorkId = (slug: DemoSlug, place: number): string =>
  `019b76da-a800-7000-8000-0000000005${slug === 'acme' ? 'c' : 'd'}${place}`

/** The last Sunday of a month that has passed: clocks change there in Europe in March and October. */
export function lastSunday(month: string, today: number): string {
  const year = Number(dayOf(today).slice(0, 4))
  const sundays = [year - 1, year].map((of) => {
    const last = dayNumber(`${of}-${month}-31`)
    return last - ((weekdayOf(last) + 1) % 7)
  })
  return dayOfNumber(sundays.filter((sunday) => sunday < Math.floor(today / day)).at(-1)!)
}

export const before = (on: string): string => dayOfNumber(dayNumber(on) - 1)

/** The last working days before today, the latest first. */
export function workdays(today: number, count: number): string[] {
  const found: string[] = []
  for (let number = Math.floor(today / day) - 1; found.length < count; number--)
    if (weekdayOf(number) < 5) found.push(dayOfNumber(number))
  return found
}

const clock = (slug: DemoSlug, on: string, time: string): string =>
  instantIn(places[slug].zone, on, time).toISOString()

/**
 * Work as it should be: ten days of two employees, one of them long, and a night over each change of the clocks, of 23 and 25 hours
 * where there is one.
 */
function usualWork(slug: DemoSlug, today: number): DemoWork[] {
  const { admin, hr } = demoUserIds[slug]
  const days = workdays(today, 10)
  const at = (on: string, time: string) => clock(slug, on, time)
  const usual = (place: number) =>
    days.map((on, number) => ({
      place,
      on,
      from: '08:00',
      to: number === 3 ? '19:10' : '16:45',
      breaks: [['12:00', '12:45']] as const,
      values: {
        ...(number === 3 ? { id: overtimeWorkId(slug, place) } : {}),
        ...(number < 5 ? {} : { status: 'APPROVED', approved_by_id: admin, decided_at: at(on, '18:00') }),
      },
    }))
  const night = (month: string, id = {}) => ({
    place: 6,
    on: before(lastSunday(month, today)),
    from: '22:00',
    to: '06:00',
    breaks: [['01:00', '01:30']] as const,
    values: {
      ...id,
      source: 'DEVICE',
      status: 'APPROVED',
      approved_by_id: hr,
      decided_at: instant(today - 2 * day),
    },
  })
  return [...usual(5), ...usual(2), night('03'), night('10', { id: overtimeWorkId(slug, 6) })]
}

/**
 * Work that somebody had to look at: a clock-out that was forgotten, whose correction waits; one that was corrected, one whose
 * correction was refused, and work on a day of leave.
 */
function oddWork(slug: DemoSlug, today: number): DemoWork[] {
  const { admin, hr, analyst } = demoUserIds[slug]
  const days = workdays(today, 12)
  const [forgotten, corrected] = [days[10]!, days[11]!]
  const at = (on: string, time: string) => clock(slug, on, time)
  return [
    {
      place: 1,
      on: forgotten,
      from: '09:00',
      to: '17:30',
      breaks: [['12:30', '13:00']],
      values: { id: overtimeWorkId(slug, 1) },
    },
    {
      place: 2,
      on: forgotten,
      from: '09:00',
      to: '',
      values: {
        status: 'INCOMPLETE',
        source: 'MOBILE',
        corrected_clock_in_at: at(forgotten, '09:00'),
        corrected_clock_out_at: at(forgotten, '17:15'),
        corrected_break_minutes: 30,
        corrected_by_id: analyst,
        correction_reason: 'The battery of my telephone was empty',
      },
    },
    {
      place: 5,
      on: corrected,
      from: '08:00',
      to: '17:00',
      breaks: [['12:00', '13:00']],
      values: {
        status: 'CORRECTED',
        original_clock_in_at: at(corrected, '08:31'),
        original_clock_out_at: at(corrected, '17:00'),
        original_break_minutes: 60,
        corrected_by_id: hr,
        correction_reason: 'The clock at the door was out of order',
        approved_by_id: admin,
        decided_at: at(days[0]!, '10:00'),
      },
    },
    {
      place: 7,
      on: forgotten,
      from: '07:00',
      to: '15:30',
      breaks: [['11:00', '11:30']],
      values: {
        source: 'IMPORT',
        corrected_by_id: hr,
        approved_by_id: admin,
        decided_at: at(days[0]!, '11:00'),
        decision_note: 'The list of the door says 15:30',
      },
    },
    {
      place: 8,
      on: corrected,
      from: '10:00',
      to: '12:00',
      values: {
        source: 'MANUAL',
        is_despite_leave: true,
        corrected_by_id: hr,
        recorded_by_id: hr,
        author_ids: [hr],
        correction_reason: 'Hand-over',
      },
    },
  ]
}

/** Hours that the employees of the demo tenants worked. */
export const attendanceRecords: DemoTable = {
  name: 'hr.attendance_records',
  noun: 'attendance records',
  rows: ({ slug, random, today }) => {
    const { zone } = places[slug]
    return [...usualWork(slug, today), ...oddWork(slug, today)].map(
      ({ place, on, from, to, breaks = [], values }) => {
        // What is earlier by the clock than the beginning is of the next day.
        const at = (time: string) =>
          instantIn(zone, time < from ? dayOfNumber(dayNumber(on) + 1) : on, time).toISOString()
        const clockInAt = at(from)
        const clockOutAt = to === '' ? null : at(to)
        const kept = breaks.map(([start, end]) => ({ startedAt: at(start), endedAt: at(end) }))
        const breakMinutes = minutesOfBreaks(kept)
        return {
          id: seededId(random, Date.parse(clockInAt)),
          employee_id: employeeId(slug, place),
          work_date: on,
          clock_in_at: clockInAt,
          clock_out_at: clockOutAt,
          time_zone: zone,
          break_minutes: breakMinutes,
          breaks: kept,
          worked_minutes: clockOutAt === null ? null : workedMinutes({ clockInAt, clockOutAt, breakMinutes }),
          source: 'WEB',
          status: 'COMPLETE',
          is_despite_leave: false,
          is_overtime_checked: true,
          corrected_clock_in_at: null,
          corrected_clock_out_at: null,
          corrected_break_minutes: null,
          corrected_by_id: null,
          recorded_by_id: null,
          author_ids: [],
          correction_reason: null,
          original_clock_in_at: null,
          original_clock_out_at: null,
          original_break_minutes: null,
          approved_by_id: null,
          decided_at: null,
          decision_note: null,
          approver_id: demoUserIds[slug].admin,
          user_id: userOf(slug, place),
          created_at: clockInAt,
          ...values,
        }
      },
    )
  },
}

/** Two closings: that of the year before last, and the one that opened its last month again. */
export const attendanceClosings: DemoTable = {
  name: 'hr.attendance_closings',
  noun: 'closings of attendance',
  rows: ({ slug, random, today }) => {
    const year = Number(dayOf(today).slice(0, 4)) - 2
    return [
      { closing_number: 1, closed_through: `${year}-12-31`, reason: null, at: today - 90 * day },
      {
        closing_number: 2,
        closed_through: `${year}-11-30`,
        reason: 'The list of a door was found',
        at: today - 80 * day,
      },
    ].map(({ at, ...row }) => ({
      id: seededId(random, at),
      ...row,
      created_by_id: demoUserIds[slug].hr,
      created_at: instant(at),
    }))
  },
}
