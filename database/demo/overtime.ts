import { before, lastSunday, overtimeWorkId, workdays } from './attendance'
import { demoUserIds, type DemoSlug } from './ids'
import { day, dayOf, instant, type DemoTable } from './table'
import { employeeId, overtimeEntryId, userOf } from './work-time'

/** The id of a row: of series 7 the records, of series 8 the rules. */
const id = (series: 7 | 8, slug: DemoSlug, number: number): string =>
  `019b76da-a800-7000-8000-000000000${series}${slug === 'acme' ? 'c' : 'd'}${number}`

/** Rules: what was agreed two years ago, what holds since this year with the night worth more, and what waits for the next one. */
export const overtimeRules: DemoTable = {
  name: 'hr.overtime_rules',
  noun: 'rules of overtime',
  rows: ({ slug, today }) => {
    const year = Number(dayOf(today).slice(0, 4))
    const { admin, hr } = demoUserIds[slug]
    const approved = (on: number) => ({ status: 'APPROVED', approved_by_id: admin, approved_at: instant(on) })
    const waiting = { status: 'PROPOSED', approved_by_id: null, approved_at: null }
    return [
      {
        ...{ valid_from: `${year - 2}-01-01`, night_factor: '1.25', daily_minutes: null },
        ...approved(today - 399 * day),
      },
      { valid_from: `${year}-01-01`, night_factor: '1.5', daily_minutes: 480, ...approved(today - 99 * day) },
      { valid_from: `${year + 1}-01-01`, night_factor: '1.5', daily_minutes: 450, ...waiting },
    ].map((row, place) => ({
      id: id(8, slug, place),
      ...row,
      weekly_minutes: 2400,
      daily_factor: '1.25',
      weekly_factor: '1.25',
      sunday_factor: '1.5',
      holiday_factor: '2',
      proposed_by_id: hr,
      created_at: instant(today - [400, 100, 2][place]! * day),
    }))
  },
}

/**
 * Overtime in each of its states: a long day that became time off, the same long day of somebody else that waits, the night of 25
 * hours that was paid as Sunday and night, a call that was asked for, and one that was refused.
 */
export const overtimeRecords: DemoTable = {
  name: 'hr.overtime_records',
  noun: 'overtime records',
  rows: ({ slug, today }) => {
    const { admin, hr, analyst } = demoUserIds[slug]
    const days = workdays(today, 12)
    const night = before(lastSunday('10', today))
    const decided = { approved_by_id: hr, decided_at: instant(today - 2 * day) }
    const paid = {
      status: 'COMPENSATED',
      compensation: 'PAY',
      compensated_at: instant(today - day),
      ...decided,
    }
    const long = { on: days[3]!, kind: 'DAILY', minutes: 135, exact: 145, factor: '1.25' }
    const call = { place: 1, on: days[10]!, kind: 'DAILY', factor: '1.25' }
    const stories = [
      {
        ...long,
        place: 5,
        more: { ...paid, compensation: 'TIME', leave_entry_id: overtimeEntryId(slug), is_over_cap: true },
      },
      { ...long, place: 2, more: {} },
      { place: 6, on: night, kind: 'SUNDAY', minutes: 390, exact: 390, factor: '1.5', more: paid },
      {
        place: 6,
        on: night,
        kind: 'NIGHT',
        minutes: 120,
        exact: 120,
        factor: '1.25',
        more: { status: 'APPROVED', ...decided },
      },
      {
        ...call,
        minutes: 45,
        exact: 50,
        more: { status: 'REQUESTED', reason: 'A customer called in the evening', requested_by_id: hr },
      },
      {
        ...call,
        minutes: 30,
        exact: 30,
        more: {
          status: 'REJECTED',
          reason: 'Tidied up',
          requested_by_id: analyst,
          approved_by_id: admin,
          decided_at: instant(today - 3 * day),
          decision_note: 'Nobody asked for it',
        },
      },
    ]
    return stories.map(({ place, on, kind, minutes, exact, factor, more }, number) => ({
      id: id(7, slug, number),
      employee_id: employeeId(slug, place),
      attendance_id: overtimeWorkId(slug, place),
      work_date: on,
      kind,
      minutes,
      exact_minutes: exact,
      factor,
      is_over_cap: false,
      status: 'PROPOSED',
      compensation: null,
      compensated_at: null,
      leave_entry_id: null,
      reason: null,
      requested_by_id: null,
      approved_by_id: null,
      decided_at: null,
      decision_note: null,
      approver_id: admin,
      user_id: userOf(slug, place),
      created_at: instant(today - (4 + number) * day),
      ...more,
    }))
  },
}
