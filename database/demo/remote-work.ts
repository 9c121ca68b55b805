import { lastDayOf, overlongMs } from '../../subgraphs/hr/rules/remote-days'
import { dayNumber, dayOfNumber } from '../../subgraphs/hr/rules/half-days'
import { instantIn } from '../../subgraphs/hr/rules/zone-time'
import { before, overtimeWorkId, workdays } from './attendance'
import { demoUserIds, type DemoSlug } from './ids'
import { day, dayOf, instant, type DemoTable } from './table'
import { employeeId, places, userOf } from './work-time'

/** The id of a row: of series 9 the sessions, of series a the rules. */
const id = (series: '9' | 'a', slug: DemoSlug, number: number): string =>
  `019b76da-a800-7000-8000-000000000${series}${slug === 'acme' ? 'e' : 'f'}${number}`

/** Fifty days at home and then a hundred; abroad twenty, each of which somebody grants. */
export const remoteWorkRules: DemoTable = {
  name: 'hr.remote_work_rules',
  noun: 'rules of remote work',
  rows: ({ slug, today }) => {
    const year = Number(dayOf(today).slice(0, 4))
    return [
      { kind: 'HOME', valid_from: `${year - 2}-01-01`, days_per_year: 50, needs_approval: false },
      { kind: 'HOME', valid_from: `${year - 1}-01-01`, days_per_year: 100, needs_approval: false },
      { kind: 'ABROAD', valid_from: `${year - 2}-07-01`, days_per_year: 20, needs_approval: true },
    ].map((row, place) => ({
      id: id('a', slug, place),
      ...row,
      created_at: instant(today - (400 - place) * day),
    }))
  },
}

/** Places that people of each tenant go to: a town of the own country, and one of another, with its zone. */
const towns = {
  acme: { near: 'Potsdam', far: 'Lisboa', country: 'PT', zone: 'Europe/Lisbon' },
  globex: { near: '横浜', far: '서울', country: 'KR', zone: 'Asia/Seoul' },
} as const satisfies Readonly<Record<DemoSlug, object>>

interface DemoSession {
  place: number
  on: string
  /** Times by the clocks of the place; `to` is empty where nobody recorded an end. */
  from?: string
  to?: string
  isAbroad?: boolean
  values: Readonly<Record<string, unknown>>
}

/**
 * Mornings at home within longer days, a night on the train that counts for two days, a granted day abroad and one that waits, one that
 * was refused, and one that somebody forgot to end.
 */
function sessionsOf(slug: DemoSlug, today: number): DemoSession[] {
  const { admin, hr } = demoUserIds[slug]
  const days = workdays(today, 12)
  const ahead = (number: number) => dayOf(today + number * day)
  const granted = { approved_by_id: admin, decided_at: instant(today - 20 * day) }
  const home = { kind: 'HOME', place: towns[slug].near, attendance_id: overtimeWorkId(slug, 5) }
  return [
    { place: 5, on: days[3]!, from: '08:00', to: '11:30', values: { ...home, note: 'The plumber came' } },
    {
      place: 2,
      on: days[3]!,
      from: '08:00',
      to: '19:10',
      values: { ...home, attendance_id: overtimeWorkId(slug, 2) },
    },
    {
      place: 6,
      on: before(days[5]!),
      from: '22:10',
      to: '01:40',
      values: { kind: 'TRAVEL', requested_by_id: hr },
    },
    {
      place: 1,
      on: days[10]!,
      from: '09:00',
      to: '17:00',
      isAbroad: true,
      values: { kind: 'ABROAD', place: towns[slug].far, attendance_id: overtimeWorkId(slug, 1), ...granted },
    },
    { place: 7, on: days[6]!, from: '10:00', to: '', values: { kind: 'CLIENT', place: towns[slug].near } },
    {
      place: 1,
      on: ahead(30),
      isAbroad: true,
      values: {
        kind: 'ABROAD',
        place: towns[slug].far,
        status: 'APPROVED',
        ...granted,
        decision_note: 'With pleasure',
      },
    },
    {
      place: 2,
      on: ahead(12),
      isAbroad: true,
      values: { kind: 'ABROAD', place: towns[slug].far, status: 'REQUESTED', note: 'A week with my family' },
    },
    {
      place: 8,
      on: ahead(5),
      isAbroad: true,
      values: {
        ...{ kind: 'ABROAD', status: 'REJECTED', approved_by_id: hr, decided_at: instant(today - day) },
        decision_note: 'The fair is in that week',
      },
    },
  ]
}

/** Remote work of the employees of the demo tenants. */
export const remoteWorkSessions: DemoTable = {
  name: 'hr.remote_work_sessions',
  noun: 'sessions of remote work',
  rows: ({ slug, today }) =>
    sessionsOf(slug, today).map(({ place, on, from, to, isAbroad, values }, number) => {
      const zone = isAbroad ? towns[slug].zone : places[slug].zone
      const at = (time: string) => instantIn(zone, time < from! ? dayOfNumber(dayNumber(on) + 1) : on, time)
      const startedAt = from ? at(from) : null
      const endedAt = to ? at(to) : null
      const ms = startedAt && endedAt ? endedAt.getTime() - startedAt.getTime() : 0
      return {
        id: id('9', slug, number),
        employee_id: employeeId(slug, place),
        attendance_id: null,
        work_date: on,
        last_date: endedAt ? lastDayOf(on, zone, endedAt) : on,
        started_at: startedAt?.toISOString() ?? null,
        ended_at: endedAt?.toISOString() ?? null,
        minutes: endedAt ? ms / 60_000 : null,
        time_zone: zone,
        country_code: isAbroad ? towns[slug].country : places[slug].country,
        place: null,
        status: 'ENDED',
        makes_attendance: false,
        is_overlong: to === '' || ms > overlongMs,
        note: null,
        requested_by_id: null,
        approved_by_id: null,
        decided_at: null,
        decision_note: null,
        approver_id: demoUserIds[slug].admin,
        user_id: userOf(slug, place),
        created_at: instant(today - (25 - number) * day),
        ...values,
      }
    }),
}
