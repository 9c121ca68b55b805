import { leaveParts } from '../../subgraphs/hr/rules/leave-days'
import { decimalOf, hundredthsOf } from '../../subgraphs/hr/rules/hundredths'
import { plannedDays, usualWeek } from '../../subgraphs/hr/rules/working-days'
import { demoUserIds, demoUserNames, type DemoSlug } from './ids'
import { seededId } from './random'
import { day, dayOf, instant, type DemoTable } from './table'

/** The place where each tenant works. */
export const places = {
  acme: { name: 'Berlin', country: 'DE', region: 'BE', zone: 'Europe/Berlin' },
  globex: { name: '東京', country: 'JP', region: null, zone: 'Asia/Tokyo' },
} as const satisfies Readonly<Record<DemoSlug, object>>

/** A fixed id, so that the rows of other tables can name the calendar. */
const calendarId = (slug: DemoSlug, place: number): string =>
  `019b76da-a800-7000-8000-0000000001${slug === 'acme' ? 'c' : 'd'}${place}`

/** The number of employees with a fixed id, those with a login among them. */
const namedEmployees = 12

/** A fixed id of one of the first employees, so that the rows of other tables can name them; null of the others. */
export function employeeId(slug: DemoSlug, place: number): string | null {
  if (place >= namedEmployees) return null
  return `019b76da-a800-7000-8000-0000000002${slug === 'acme' ? 'c' : 'd'}${place.toString(16)}`
}

const workCalendars: DemoTable = {
  name: 'hr.work_calendars',
  noun: 'work calendars',
  rows: ({ slug, today }) => {
    const { name, country, region, zone } = places[slug]
    const common = {
      country_code: country,
      region,
      time_zone: zone,
      created_at: instant(today - 900 * day),
    }
    const weeks: readonly (readonly [name: string, saturday: number, friday: number])[] = [
      [name, 0, 480],
      [`${name} 80 %`, 0, 0],
      [`${name} Shop`, 360, 300],
      [`${name} Warehouse`, 480, 480],
      [`${name} Part time`, 0, 240],
      [`${name} Early shift`, 0, 450],
      [`${name} Late shift`, 0, 450],
      [`${name} Night shift`, 0, 420],
      [`${name} Weekend`, 600, 0],
      [`${name} Call centre`, 300, 480],
    ]
    return weeks.map(([called, saturday, friday], place) => ({
      id: calendarId(slug, place),
      name: called,
      friday_minutes: friday,
      saturday_minutes: saturday,
      is_default: place === 0,
      ...common,
    }))
  },
}

/** Month and day, what it is called, and which part of it is free. */
const feasts: Readonly<Record<DemoSlug, readonly (readonly [string, string, string])[]>> = {
  acme: [
    ['01-01', "New Year's Day", 'FULL'],
    ['05-01', 'Labour Day', 'FULL'],
    ['10-03', 'German Unity Day', 'FULL'],
    ['12-24', 'Christmas Eve', 'AFTERNOON'],
    ['12-25', 'Christmas Day', 'FULL'],
    ['12-26', 'Boxing Day', 'FULL'],
    ['12-31', "New Year's Eve", 'AFTERNOON'],
  ],
  globex: [
    ['01-01', '元日', 'FULL'],
    ['02-11', '建国記念の日', 'FULL'],
    ['04-29', '昭和の日', 'FULL'],
    ['05-03', '憲法記念日', 'FULL'],
    ['11-03', '文化の日', 'FULL'],
    ['11-23', '勤労感謝の日', 'FULL'],
  ],
}

const holidays: DemoTable = {
  name: 'hr.holidays',
  noun: 'holidays',
  // Of the last year, this one and the next.
  rows: ({ slug, random, today }) => {
    const year = Number(dayOf(today).slice(0, 4))
    return [year - 1, year, year + 1].flatMap((of) =>
      feasts[slug].map(([date, name, half]) => ({
        id: seededId(random, today - 400 * day),
        name,
        day: `${of}-${date}`,
        half,
        country_code: half === 'FULL' ? places[slug].country : null,
        created_at: instant(today - 400 * day),
      })),
    )
  },
}

export const leaveTypeId = (slug: DemoSlug, place: number): string =>
  `019b76da-a800-7000-8000-0000000003${slug === 'acme' ? 'c' : 'd'}${place}`

const leaveTypes: DemoTable = {
  name: 'hr.leave_types',
  noun: 'kinds of leave',
  rows: ({ slug, today }) => {
    const own = (acme: string, globex: string) => (slug === 'acme' ? acme : `${acme} ${globex}`)
    const usual = {
      accrual: 'NONE',
      annual_days: null as string | null,
      carry_over_days: '0',
      carry_over_expires: null as string | null,
      is_paid: true,
      is_medical: false,
      allows_negative: true,
      needs_approval: true,
      notice_days: 0,
    }
    const kind = (code: string, name: string, rules: Partial<typeof usual> = {}) => ({
      code,
      name,
      ...usual,
      ...rules,
    })
    const annual = {
      accrual: 'ANNUAL',
      annual_days: '30',
      carry_over_days: '10',
      carry_over_expires: '03-31',
    }
    return [
      kind('ANNUAL', own('Annual leave', '年次有給休暇'), {
        ...annual,
        allows_negative: false,
        notice_days: 7,
      }),
      kind('SICK', own('Sick leave', '病気休暇'), { is_medical: true, needs_approval: false }),
      kind('PARENTAL', own('Parental leave', '育児休業'), { is_paid: false, notice_days: 49 }),
      kind('SPECIAL', own('Special leave', '特別休暇')),
      kind('LIEU', own('Time off in lieu', '代休'), { allows_negative: false }),
      kind('UNPAID', own('Unpaid leave', '無給休暇'), { is_paid: false, notice_days: 30 }),
    ].map((row, place) => ({ id: leaveTypeId(slug, place), ...row, created_at: instant(today - 900 * day) }))
  },
}

interface DemoLeave {
  /** The place among the employees. */
  place: number
  type: number
  from: string
  to: string
  status: 'APPROVED' | 'PENDING'
  reason: string | null
}

/** Leave that tells a story: one goes over the end of the year, one is of last week, one waits for a decision. */
function leaves(today: number): DemoLeave[] {
  const year = Number(dayOf(today).slice(0, 4))
  // Mondays, so that the weeks are whole.
  const monday = (weeks: number): string => {
    const days = Math.floor(today / day)
    return dayOf((days - ((days + 3) % 7) + 7 * weeks) * day)
  }
  const friday = (weeks: number): string => dayOf(Date.parse(`${monday(weeks)}T00:00:00Z`) + 4 * day)
  const sunday = (weeks: number): string => dayOf(Date.parse(`${monday(weeks)}T00:00:00Z`) + 6 * day)
  return [
    { place: 1, type: 0, from: `${year}-12-23`, to: `${year + 1}-01-05`, status: 'APPROVED', reason: null },
    { place: 2, type: 0, from: monday(9), to: friday(10), status: 'PENDING', reason: 'Skiing' },
    { place: 3, type: 1, from: monday(-1), to: friday(-1), status: 'APPROVED', reason: 'Influenza' },
    { place: 0, type: 0, from: monday(-6), to: friday(-5), status: 'APPROVED', reason: null },
    // This week, until Sunday: somebody is away whatever day it is.
    { place: 4, type: 1, from: monday(0), to: sunday(0), status: 'APPROVED', reason: 'Broken wrist' },
    { place: 0, type: 0, from: '2026-01-12', to: '2026-01-16', status: 'APPROVED', reason: null },
  ]
}

/** A request as it stands in the table, with what it takes of each year. */
function requestOf(slug: DemoSlug, leave: DemoLeave, number: number) {
  const holidays = feasts[slug].flatMap(([date, , half]) =>
    [leave.from.slice(0, 4), leave.to.slice(0, 4)].map((year) => ({
      day: `${year}-${date}`,
      half: half as 'FULL',
      calendarId: null,
    })),
  )
  const span = { startDate: leave.from, startHalf: 'FULL', endDate: leave.to, endHalf: 'FULL' } as const
  const parts = leaveParts(span, plannedDays([usualWeek], holidays, leave.from, leave.to))
  const id = `019b76da-a800-7000-8000-0000000004${slug === 'acme' ? 'c' : 'd'}${number}`
  return { id, parts, days: decimalOf(parts.reduce((sum, { days }) => sum + hundredthsOf(days), 0)) }
}

/** The login of an employee at a place; null of those without one. */
export const userOf = (slug: DemoSlug, place: number): string | null => {
  const name = demoUserNames[place]
  return name ? demoUserIds[slug][name] : null
}

const leaveRequests: DemoTable = {
  name: 'hr.leave_requests',
  noun: 'requests for leave',
  rows: ({ slug, today }) =>
    leaves(today).map((leave, number) => {
      const { id, parts, days } = requestOf(slug, leave, number)
      const created = today - (50 + number) * day
      return {
        id,
        request_number: `L-${String(number + 1).padStart(6, '0')}`,
        employee_id: employeeId(slug, leave.place),
        leave_type_id: leaveTypeId(slug, leave.type),
        start_date: leave.from,
        end_date: leave.to,
        days,
        parts,
        reason: leave.reason,
        status: leave.status,
        approver_id: leave.place === 0 ? demoUserIds[slug].hr : demoUserIds[slug].admin,
        decided_at: leave.status === 'APPROVED' ? instant(created + day) : null,
        user_id: userOf(slug, leave.place),
        is_medical: leave.type === 1,
        created_at: instant(created),
      }
    }),
}

const numberSeries: DemoTable = {
  name: 'hr.number_series',
  noun: 'number series',
  rows: ({ today }) => [
    { series: 'LEAVE', last_number: leaves(today).length },
    { series: 'ATTENDANCE_CLOSING', last_number: 2 },
  ],
}

const leaveLedger: DemoTable = {
  name: 'hr.leave_ledger_entries',
  noun: 'entries of the leave ledger',
  rows: ({ slug, random, today }) => {
    const year = Number(dayOf(today).slice(0, 4))
    const common = (place: number, created: number) => ({
      id: seededId(random, created),
      employee_id: employeeId(slug, place),
      user_id: userOf(slug, place),
      note: null as string | null,
      created_at: instant(created),
    })
    const given = [...new Set([2026, year, year + 1])].flatMap((of) =>
      Array.from({ length: namedEmployees }, (_, place) => ({
        ...common(place, today - 60 * day),
        leave_type_id: leaveTypeId(slug, 0),
        kind: 'ACCRUAL',
        days: '30',
        effective_on: `${of}-01-01`,
        request_id: null,
      })),
    )
    const used = leaves(today).flatMap((leave, number) => {
      const { id, parts } = requestOf(slug, leave, number)
      if (leave.status !== 'APPROVED') return []
      return parts.map(({ from, days }) => ({
        ...common(leave.place, today - (49 + number) * day),
        leave_type_id: leaveTypeId(slug, leave.type),
        kind: 'USE',
        days: `-${days}`,
        effective_on: from,
        request_id: id,
      }))
    })
    // 135 minutes by 1.25, in days of 480 minutes.
    const overtime = {
      id: overtimeEntryId(slug),
      employee_id: employeeId(slug, 5),
      user_id: userOf(slug, 5),
      created_at: instant(today - day),
      leave_type_id: leaveTypeId(slug, 4),
      kind: 'ADJUSTMENT',
      days: '0.35',
      effective_on: dayOf(today - day),
      request_id: null,
      note: 'Overtime: 135 minutes DAILY by 1.25',
    }
    return [...given, ...used, overtime]
  },
}

/** The entry of the ledger that overtime of the demo data became. */
export const overtimeEntryId = (slug: DemoSlug): string =>
  `019b76da-a800-7000-8000-0000000006${slug === 'acme' ? 'c' : 'd'}0`

/** The tables of working time, which are filled behind the employees. */
export const workTimeTables: readonly DemoTable[] = [
  workCalendars,
  holidays,
  leaveTypes,
  leaveRequests,
  numberSeries,
  leaveLedger,
]
