import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import type { Employee } from '../entities/Employee'
import { OvertimeRecord } from '../entities/OvertimeRecord'
import type { HrUserErrorCode } from '../generated'
import { closedThrough } from '../attendance/closing'
import { nameDeciderOfOvertime } from '../attendance/own-time'
import { approverOf } from '../manager-line'
import type { Break } from '../rules/attendance-time'
import { dayNumber, dayOfNumber } from '../rules/half-days'
import {
  mondayOf,
  overtimeOfWeek,
  worthOf,
  type Claim,
  type DatedRule,
  type EndedWork,
  type FoundOvertime,
  type OvertimeKind,
} from '../rules/overtime'
import type { PlannedDay } from '../rules/working-days'
import { calendarsOf, workingDays } from '../working-days'

type Tx = MutationTransaction<HrUserErrorCode>

const rulesText = `
  SELECT valid_from, daily_minutes, weekly_minutes, weekly_cap_minutes, rounding_minutes, night_from, night_to,
         daily_factor, weekly_factor, night_factor, sunday_factor, holiday_factor
    FROM hr.overtime_rules WHERE tenant_id = $1 AND valid_from <= $2 AND status = 'APPROVED'`
const worksText = `
  SELECT id, work_date, time_zone, clock_in_at, clock_out_at, break_minutes, breaks, is_overtime_checked
    FROM hr.attendance_records
   WHERE tenant_id = $1 AND employee_id = $2 AND work_date BETWEEN $3 AND $4 AND clock_out_at IS NOT NULL
   ORDER BY clock_in_at`
const knownText = `
  SELECT id, work_date, kind, minutes, factor, status, requested_by_id IS NOT NULL,
         approved_by_id IS NOT NULL, is_over_cap, created_at, decided_at, approver_id FROM hr.overtime_records
   WHERE tenant_id = $1 AND employee_id = $2 AND work_date BETWEEN $3 AND $4 ORDER BY work_date, created_at, id`
const markChecked = `
  UPDATE hr.attendance_records SET is_overtime_checked = true, updated_at = updated_at
   WHERE tenant_id = $1 AND employee_id = $2 AND work_date BETWEEN $3 AND $4 AND clock_out_at IS NOT NULL
     AND NOT is_overtime_checked`

const rewriteText = `
  UPDATE hr.overtime_records
     SET minutes = coalesce($4, minutes), exact_minutes = coalesce($5, exact_minutes), factor = coalesce($6, factor),
         attendance_id = coalesce($7, attendance_id), is_over_cap = coalesce($8, is_over_cap), status = coalesce($9, status),
         approved_by_id = CASE WHEN $9::text IS NULL THEN approved_by_id END,
         decided_at = CASE WHEN $9::text IS NULL THEN decided_at ELSE $10 END,
         decision_note = CASE WHEN $9::text IS NULL THEN decision_note ELSE $11 END,
         version = version + 1, updated_at = $3
   WHERE tenant_id = $1 AND id = $2 RETURNING version`

/** Overtime of the week as it stands. */
interface Known extends Claim {
  id: string
  status: OvertimeRecord['status']
  isRequested: boolean
  isDecided: boolean
  isOverCap: boolean
  createdAt: string
  decidedAt: string | null
  approverId: string | null
}
interface KnownWork extends EndedWork {
  isChecked: boolean
}

/** The work of a week, what is owed, and the overtime of it. */
export interface Week {
  key: readonly unknown[]
  works: readonly KnownWork[]
  rules: readonly DatedRule[]
  planned: readonly PlannedDay[]
  known: readonly Known[]
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

async function worksOf(tx: Tx, key: readonly unknown[]): Promise<KnownWork[]> {
  const rows = await tx.rows(prepared(worksText, [...key]))
  return rows.map(([id, workDate, timeZone, clockInAt, clockOutAt, breakMinutes, breaks, isChecked]) => ({
    id: String(id),
    workDate: String(workDate),
    timeZone: String(timeZone),
    clockInAt: String(clockInAt),
    clockOutAt: String(clockOutAt),
    breakMinutes: Number(breakMinutes),
    breaks: breaks as Break[],
    isChecked: isChecked === true,
  }))
}

async function knownOf(tx: Tx, key: readonly unknown[]): Promise<Known[]> {
  const rows = await tx.rows(prepared(knownText, [...key]))
  return rows.map(
    ([id, workDate, kind, minutes, factor, status, isRequested, isDecided, isOverCap, ...more]) => ({
      id: String(id),
      workDate: String(workDate),
      kind: kind as OvertimeKind,
      minutes: Number(minutes),
      factor: String(factor),
      status: status as Known['status'],
      isRequested: isRequested === true,
      isDecided: isDecided === true,
      isOverCap: isOverCap === true,
      createdAt: String(more[0]),
      decidedAt: more[1] as string | null,
      approverId: more[2] as string | null,
    }),
  )
}

/** Attendance told of it, and it is not compensated: it follows attendance. */
const follows = ({ status, isRequested }: Known) =>
  !isRequested && (status === 'PROPOSED' || status === 'APPROVED')
/** It is granted or compensated, whatever attendance tells. */
const isFixed = ({ status, isRequested }: Known) =>
  status === 'COMPENSATED' || (isRequested && status === 'APPROVED')
const isAsked = ({ status }: Known) => status === 'REQUESTED'
/** Somebody refused what attendance told of: a correction refuses without anybody. */
const isRefused = ({ status, isDecided, isRequested }: Known) =>
  status === 'REJECTED' && isDecided && !isRequested
const isSame = (old: Claim, one: Claim | FoundOvertime) =>
  old.workDate === one.workDate && old.kind === one.kind

/** Finds what was refused and not asked for by hand since: what is asked for is counted by itself. */
function refusedOf(known: readonly Known[]): Claim[] {
  const asked = known.filter(({ isRequested, status }) => isRequested && status !== 'REJECTED')
  const left = new Map(asked.map(({ id, minutes }) => [id, minutes]))
  return known.filter(isRefused).map((refused) => {
    let { minutes } = refused
    for (const one of asked.filter((some) => isSame(refused, some) && some.createdAt >= refused.decidedAt!)) {
      const off = Math.min(minutes, left.get(one.id)!)
      left.set(one.id, left.get(one.id)! - off)
      minutes -= off
    }
    return { ...refused, minutes }
  })
}

/** Reads the week of a day. */
export async function readWeek(
  context: SubgraphContext,
  tx: Tx,
  employeeId: string,
  day: string,
): Promise<Week> {
  const monday = mondayOf(day)
  const sunday = dayOfNumber(dayNumber(monday) + 6)
  const key = [context.binding.tenantId, employeeId, monday, sunday]
  const works = await worksOf(tx, key)
  const known = await knownOf(tx, key)
  const rules = await rulesOf(context, tx, sunday)
  // A night of Sunday ends on Monday.
  const until = dayOfNumber(dayNumber(sunday) + 1)
  const calendars = await calendarsOf(context, tx, employeeId, until)
  const planned = await workingDays(context, tx, calendars, monday, until)
  return { key, works, rules, planned, known }
}

/** Minutes of overtime of a day, by kind, that are neither proposed, asked for, granted nor compensated. */
export function roomOn({ rules, works, planned, known }: Week, day: string, except: string | null) {
  const exact = rules.map((rule) => ({ ...rule, roundingMinutes: 1 }))
  const taken = known.filter(({ id, status }) => status !== 'REJECTED' && id !== except)
  return overtimeOfWeek(exact, works, planned, taken).filter(({ workDate }) => workDate === day)
}

/**
 * Overtime as attendance tells it, less what stands by itself. What is asked for comes before what is proposed, and after what is
 * granted: nobody's asking takes away what somebody else granted.
 */
function foundIn({ rules, works, planned, known }: Week): FoundOvertime[] {
  const fixed = [...known.filter(isFixed), ...refusedOf(known)]
  const found = overtimeOfWeek(rules, works, planned, fixed)
  const asked = known.filter(isAsked)
  if (asked.length === 0) return found
  const rest = overtimeOfWeek(rules, works, planned, [...fixed, ...asked])
  return found.flatMap((one) => {
    const left = rest.find((some) => isSame(some, one))
    const granted = known.find((old) => follows(old) && old.status === 'APPROVED' && isSame(old, one))
    const kept = Math.min(one.minutes, granted?.minutes ?? 0)
    if (left && left.minutes >= kept) return [left]
    return kept > 0 ? [{ ...one, minutes: kept }] : []
  })
}

/**
 * Proposes the overtime of an employee, whose row is locked, in the week of a day: so each minute is counted once, however many look
 * at the same time. What is granted or proposed already and is no longer so is proposed anew, or refused when nothing is left of
 * it; what was asked for, granted and no longer fits waits again; what is compensated or was refused stays. Closed days stay as they
 * are, unless nobody looked into their work yet.
 * @param despiteClosing a day that is looked into though it is closed: what is missing is proposed, and what stands there stays
 * @returns whether any day was open to a look; the day until which attendance is closed
 */
export async function proposeWeek(
  context: SubgraphContext,
  tx: Tx,
  employee: Employee,
  day: string,
  despiteClosing?: string,
): Promise<{ isLooked: boolean; closedUntil: string | null }> {
  const week = await readWeek(context, tx, employee.id, day)
  const closedUntil = await closedThrough(tx, context.binding.tenantId)
  const unseen = new Set(week.works.filter(({ isChecked }) => !isChecked).map(({ workDate }) => workDate))
  const isOpen = (date: string) =>
    closedUntil === null || date > closedUntil || date === despiteClosing || unseen.has(date)
  const found = foundIn(week).filter(({ workDate }) => isOpen(workDate))
  const known = week.known.filter(({ workDate }) => isOpen(workDate))
  const isSettled = (date: string) => closedUntil !== null && date <= closedUntil && !unseen.has(date)
  const moving = known.filter(({ workDate }) => !isSettled(workDate))
  const waiting = [
    ...(await follow(context, tx, moving, found)),
    ...(await waitAgain(context, tx, week, moving)),
  ]
  const fresh = found.filter((one) => !known.some((old) => isSame(old, one) && follows(old)))
  if (fresh.length > 0 || waiting.length > 0) {
    const approverId = await approverOf(context, tx, employee)
    const others = waiting.filter((old) => old.approverId !== approverId).map(({ id }) => id)
    if (others.length > 0) await nameDeciderOfOvertime(context, tx, others, approverId)
    await tx.insertAll(
      OvertimeRecord,
      fresh.map((one) => ({ ...one, approverId, userId: employee.userId, employeeId: employee.id })),
    )
  }
  await tx.run(prepared(markChecked, [...week.key]))
  const sunday = String(week.key[3])
  return { isLooked: isOpen(sunday) || unseen.size > 0, closedUntil }
}

/**
 * Has what attendance told of say what it tells by now.
 * @returns what waits for a decision again
 */
async function follow(
  context: SubgraphContext,
  tx: Tx,
  known: readonly Known[],
  found: readonly FoundOvertime[],
): Promise<Known[]> {
  const waiting: Known[] = []
  for (const old of known.filter(follows)) {
    const one = found.find((some) => isSame(old, some))
    if (!one) {
      const decisionNote = 'Attendance was corrected: no overtime is left'
      const decidedAt = context.clock.now().toISOString()
      await rewrite(context, tx, old, { status: 'REJECTED', decidedAt, decisionNote })
      continue
    }
    const { minutes, exactMinutes, factor, attendanceId, isOverCap } = one
    if (worthOf(one) === worthOf(old) && minutes === old.minutes) {
      if (isOverCap !== old.isOverCap) await rewrite(context, tx, old, { isOverCap })
      continue
    }
    waiting.push(old)
    const told = { minutes, exactMinutes, factor, attendanceId, isOverCap }
    await rewrite(context, tx, old, { ...told, status: 'PROPOSED' })
  }
  return waiting
}

/** Has granted overtime that somebody asked for wait again where attendance tells of less than what stands on the day. */
async function waitAgain(
  context: SubgraphContext,
  tx: Tx,
  week: Week,
  known: readonly Known[],
): Promise<Known[]> {
  const granted = known.filter(({ isRequested, status }) => isRequested && status === 'APPROVED')
  if (granted.length === 0) return []
  const due = overtimeOfWeek(
    week.rules.map((rule) => ({ ...rule, roundingMinutes: 1 })),
    week.works,
    week.planned,
    [],
  )
  const sum = (some: readonly Claim[], day: string) =>
    some.reduce((total, one) => total + (one.workDate === day ? worthOf(one) : 0), 0)
  const tooMuch = granted.filter(({ workDate }) => sum(known.filter(isFixed), workDate) > sum(due, workDate))
  for (const old of tooMuch) await rewrite(context, tx, old, { status: 'REQUESTED' })
  return tooMuch
}

/**
 * Changes overtime as attendance tells, whoever looks: that may be a job, or somebody who decides about attendance and does not see
 * overtime. Another status is nobody's decision: that of before goes with it.
 */
async function rewrite(
  { binding, clock }: SubgraphContext,
  tx: Tx,
  old: Known,
  values: Partial<OvertimeRecord>,
): Promise<void> {
  const { minutes, exactMinutes, factor, attendanceId, isOverCap, status, decidedAt, decisionNote } = values
  const found = [minutes, exactMinutes, factor, attendanceId, isOverCap, status, decidedAt, decisionNote]
  const written = found.map((value) => value ?? null)
  const [row] = await tx.rows(
    prepared(rewriteText, [binding.tenantId, old.id, clock.now().toISOString(), ...written]),
  )
  const before = Object.fromEntries(
    Object.keys(values).flatMap((name) => (name in old ? [[name, old[name as keyof Known]]] : [])),
  )
  const about = { resourceType: 'OvertimeRecord', resourceId: old.id }
  tx.audit({ action: 'UPDATE', ...about, changes: { before, after: values } })
  const fields = Object.keys(values)
  tx.emit('updated', { type: about.resourceType, id: old.id }, { version: Number(row![0]), fields })
}
