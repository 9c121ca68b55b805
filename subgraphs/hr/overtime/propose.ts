import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import type { Employee } from '../entities/Employee'
import { OvertimeRecord } from '../entities/OvertimeRecord'
import type { HrUserErrorCode } from '../generated'
import { approverOf } from '../leave/request-leave'
import type { Break } from '../rules/attendance-time'
import { dayNumber, dayOfNumber } from '../rules/half-days'
import {
  mondayOf,
  overtimeOfWeek,
  workedOn,
  type DatedRule,
  type EndedWork,
  type FoundOvertime,
  type OvertimeKind,
} from '../rules/overtime'
import { calendarsOf, workingDays } from '../working-days'

type Tx = MutationTransaction<HrUserErrorCode>

const rulesText = `
  SELECT valid_from, daily_minutes, weekly_minutes, weekly_cap_minutes, rounding_minutes, night_from, night_to,
         daily_factor, weekly_factor, night_factor, sunday_factor, holiday_factor
    FROM hr.overtime_rules WHERE tenant_id = $1 AND valid_from <= $2`
const worksText = `
  SELECT id, work_date, time_zone, clock_in_at, clock_out_at, break_minutes, breaks FROM hr.attendance_records
   WHERE tenant_id = $1 AND employee_id = $2 AND work_date BETWEEN $3 AND $4 AND clock_out_at IS NOT NULL
   ORDER BY clock_in_at`
const knownText = `
  SELECT id, work_date, kind, minutes, status, requested_by_id IS NOT NULL,
         approved_by_id IS NOT NULL, is_over_cap FROM hr.overtime_records
   WHERE tenant_id = $1 AND employee_id = $2 AND work_date BETWEEN $3 AND $4 ORDER BY work_date, id`
const markChecked = `
  UPDATE hr.attendance_records SET is_overtime_checked = true, updated_at = updated_at
   WHERE tenant_id = $1 AND employee_id = $2 AND work_date BETWEEN $3 AND $4 AND clock_out_at IS NOT NULL
     AND NOT is_overtime_checked`

/** Overtime of the week as it stands. */
interface Known {
  id: string
  workDate: string
  kind: OvertimeKind
  minutes: number
  status: OvertimeRecord['status']
  isRequested: boolean
  isDecided: boolean
  isOverCap: boolean
}

/** The rules that hold until a day. */
export async function rulesOf(
  { binding }: Pick<SubgraphContext, 'binding'>,
  tx: Pick<Tx, 'rows'>,
  until: string,
): Promise<DatedRule[]> {
  const rows = await tx.rows(prepared(rulesText, [binding.tenantId, until]))
  return rows.map(([validFrom, daily, weekly, cap, rounding, nightFrom, nightTo, ...factors]) => ({
    validFrom: String(validFrom),
    dailyMinutes: daily as number | null,
    weeklyMinutes: weekly as number | null,
    weeklyCapMinutes: Number(cap),
    roundingMinutes: Number(rounding),
    nightFrom: String(nightFrom),
    nightTo: String(nightTo),
    factors: {
      DAILY: String(factors[0]),
      WEEKLY: String(factors[1]),
      NIGHT: String(factors[2]),
      SUNDAY: String(factors[3]),
      HOLIDAY: String(factors[4]),
    },
  }))
}

async function worksOf(tx: Tx, key: readonly unknown[]): Promise<EndedWork[]> {
  const rows = await tx.rows(prepared(worksText, [...key]))
  return rows.map(([id, workDate, timeZone, clockInAt, clockOutAt, breakMinutes, breaks]) => ({
    id: String(id),
    workDate: String(workDate),
    timeZone: String(timeZone),
    clockInAt: String(clockInAt),
    clockOutAt: String(clockOutAt),
    breakMinutes: Number(breakMinutes),
    breaks: breaks as Break[],
  }))
}

async function knownOf(tx: Tx, key: readonly unknown[]): Promise<Known[]> {
  const rows = await tx.rows(prepared(knownText, [...key]))
  return rows.map(([id, workDate, kind, minutes, status, isRequested, isDecided, isOverCap]) => ({
    id: String(id),
    workDate: String(workDate),
    kind: kind as OvertimeKind,
    minutes: Number(minutes),
    status: status as Known['status'],
    isRequested: isRequested === true,
    isDecided: isDecided === true,
    isOverCap: isOverCap === true,
  }))
}

const isFixed = ({ status, isRequested }: Known) =>
  status === 'COMPENSATED' || (isRequested && status !== 'REJECTED')
/** Attendance told of it, and it is not compensated: it follows attendance. */
const follows = ({ status, isRequested }: Known) =>
  !isRequested && (status === 'PROPOSED' || status === 'APPROVED')

/** Somebody refused it, not a correction. */
const isRefused = ({ status, isDecided }: Known) => status === 'REJECTED' && isDecided

/** Minutes by day. */
export function minutesByDay(some: readonly { workDate: string; minutes: number }[]): Map<string, number> {
  const sums = new Map<string, number>()
  for (const { workDate, minutes } of some) sums.set(workDate, (sums.get(workDate) ?? 0) + minutes)
  return sums
}

/**
 * Proposes the overtime of an employee, whose row is locked, in the week of a day: so each minute is counted once, however many look
 * at the same time. What is granted or proposed already and is no longer so is proposed anew, or refused when nothing is left of
 * it; what was asked for and no longer fits into the work waits again; what is compensated or was refused stays.
 */
export async function proposeWeek(
  context: SubgraphContext,
  tx: Tx,
  employee: Employee,
  day: string,
): Promise<void> {
  const monday = mondayOf(day)
  const sunday = dayOfNumber(dayNumber(monday) + 6)
  const key = [context.binding.tenantId, employee.id, monday, sunday]
  const works = await worksOf(tx, key)
  const known = await knownOf(tx, key)
  const rules = await rulesOf(context, tx, sunday)
  // A night of Sunday ends on Monday.
  const until = dayOfNumber(dayNumber(sunday) + 1)
  const calendars = await calendarsOf(context, tx, employee.id, until)
  const planned = await workingDays(context, tx, calendars, monday, until)
  const found = overtimeOfWeek(rules, works, planned, minutesByDay(known.filter(isFixed)))
  await follow(context, tx, known, found)
  await waitAgain(tx, known, works)
  const fresh = found.filter(
    (one) =>
      !known.some(
        (old) => isSame(old, one) && (follows(old) || (isRefused(old) && old.minutes === one.minutes)),
      ),
  )
  if (fresh.length > 0) {
    const ruled = { approverId: await approverOf(context, tx, employee), userId: employee.userId }
    await tx.insertAll(
      OvertimeRecord,
      fresh.map((one) => ({ ...one, ...ruled, employeeId: employee.id })),
    )
  }
  await tx.run(prepared(markChecked, key))
}

const isSame = (old: Known, one: FoundOvertime) => old.workDate === one.workDate && old.kind === one.kind

/** Has what attendance told of say what it tells by now. */
async function follow(
  { clock }: SubgraphContext,
  tx: Tx,
  known: readonly Known[],
  found: readonly FoundOvertime[],
): Promise<void> {
  for (const old of known.filter(follows)) {
    const one = found.find((some) => isSame(old, some))
    if (!one) {
      await tx.update(OvertimeRecord, old.id, null, {
        status: 'REJECTED',
        approvedById: null,
        decidedAt: clock.now().toISOString(),
        decisionNote: 'Attendance was corrected: no overtime is left',
      })
      continue
    }
    const { minutes, exactMinutes, factor, attendanceId, isOverCap } = one
    if (minutes === old.minutes) {
      if (isOverCap !== old.isOverCap) await tx.update(OvertimeRecord, old.id, null, { isOverCap })
      continue
    }
    await tx.update(OvertimeRecord, old.id, null, {
      minutes,
      exactMinutes,
      factor,
      attendanceId,
      isOverCap,
      status: 'PROPOSED',
      approvedById: null,
      decidedAt: null,
      decisionNote: null,
    })
  }
}

/** Has granted overtime that somebody asked for wait again where the day has less work than overtime by now. */
async function waitAgain(tx: Tx, known: readonly Known[], works: readonly EndedWork[]): Promise<void> {
  const claimed = minutesByDay(known.filter(isFixed))
  for (const { id, workDate } of known.filter(
    ({ isRequested, status }) => isRequested && status === 'APPROVED',
  ))
    if (claimed.get(workDate)! > workedOn(works, workDate))
      await tx.update(OvertimeRecord, id, null, { status: 'REQUESTED', approvedById: null, decidedAt: null })
}
