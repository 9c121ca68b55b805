import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction, Values } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { LeaveLedgerEntry, type LeaveEntryKind } from '../entities/LeaveLedgerEntry'
import type { LeavePart, LeaveRequest } from '../entities/LeaveRequest'
import type { LeaveType } from '../entities/LeaveType'
import type { HrUserErrorCode } from '../generated'
import { decimalOf, hundredthsOf } from '../rules/hundredths'
import { overspent, type DatedDays } from '../rules/leave-balance'
import { ownEntries } from './own-leave'

/** The employee whose entries they are; the row of the employee is locked by whoever writes them. */
export interface Owner {
  id: string
  userId: string | null
}

const datedDays = `
  SELECT effective_on, sum(days) FROM hr.leave_ledger_entries
   WHERE tenant_id = $1 AND employee_id = $2 AND leave_type_id = $3 GROUP BY effective_on`
const pendingParts = `
  SELECT parts FROM hr.leave_requests
   WHERE tenant_id = $1 AND employee_id = $2 AND leave_type_id = $3 AND status = 'PENDING' AND id <> $4`
const unreversed = `
  SELECT e.id, e.days, e.effective_on FROM hr.leave_ledger_entries e
   WHERE e.tenant_id = $1 AND e.request_id = $2 AND e.kind = 'USE' AND NOT EXISTS (
     SELECT FROM hr.leave_ledger_entries r WHERE r.tenant_id = $1 AND r.reverses_id = e.id AND r.kind = 'REVERSAL')
   ORDER BY e.effective_on`

const nobody = '00000000-0000-0000-0000-000000000000'
const used = ({ from, days }: LeavePart): DatedDays => ({ on: from, hundredths: -hundredthsOf(days) })

/** Finds what counts for an employee and a kind of leave: the ledger, and what is asked for in other requests. */
export async function datedDaysOf(
  { binding }: Pick<SubgraphContext, 'binding'>,
  tx: Pick<MutationTransaction, 'rows'>,
  employeeId: string,
  leaveTypeId: string,
  exceptRequestId = nobody,
): Promise<{ ledger: DatedDays[]; pending: DatedDays[] }> {
  const key = [binding.tenantId, employeeId, leaveTypeId]
  const entries = await tx.rows(prepared(datedDays, key))
  const parts = await tx.rows(prepared(pendingParts, [...key, exceptRequestId]))
  return {
    ledger: entries.map(([on, days]) => ({ on: String(on), hundredths: hundredthsOf(String(days)) })),
    pending: parts.flatMap(([list]) => (list as LeavePart[]).map(used)),
  }
}

/** Ends the mutation when leave would use more days than there are, unless its kind allows that. */
export async function requireBalance(
  context: SubgraphContext,
  tx: MutationTransaction<HrUserErrorCode>,
  employeeId: string,
  type: LeaveType,
  parts: readonly LeavePart[],
  exceptRequestId?: string,
): Promise<void> {
  if (type.allowsNegative) return
  const { ledger, pending } = await datedDaysOf(context, tx, employeeId, type.id, exceptRequestId)
  const missing = overspent([...ledger, ...pending], parts.map(used))
  if (missing > 0)
    tx.fail(
      'LEAVE_BALANCE',
      `There are ${decimalOf(missing)} days less of ${type.name} than that, with all that is granted and asked for`,
      'startDate',
    )
}

/** Adds entries to an employee's ledger. */
export async function addEntries(
  context: SubgraphContext,
  tx: MutationTransaction<HrUserErrorCode>,
  owner: Owner,
  entries: readonly (Pick<LeaveLedgerEntry, 'leaveTypeId' | 'kind' | 'days' | 'effectiveOn'> &
    Values<LeaveLedgerEntry>)[],
): Promise<LeaveLedgerEntry[]> {
  if (entries.length === 0) return []
  const createdAt = context.clock.now().toISOString()
  const whole = entries.map((entry) => ({
    employeeId: owner.id,
    leaveTypeId: entry.leaveTypeId,
    kind: entry.kind,
    days: entry.days,
    effectiveOn: entry.effectiveOn,
    validUntil: entry.validUntil ?? null,
    requestId: entry.requestId ?? null,
    reversesId: entry.reversesId ?? null,
    note: entry.note ?? null,
    createdAt,
  }))
  const added = await tx.insertAll(LeaveLedgerEntry, whole)
  await ownEntries(
    context,
    tx,
    added.map(({ id }) => id),
    owner.userId,
  )
  return added.map((entry) => Object.assign(entry, { userId: owner.userId }))
}

/** Writes what a granted request uses: an entry for each year. */
export async function useDays(
  context: SubgraphContext,
  tx: MutationTransaction<HrUserErrorCode>,
  owner: Owner,
  { id, leaveTypeId }: LeaveRequest,
  parts: readonly LeavePart[],
): Promise<void> {
  const kind: LeaveEntryKind = 'USE'
  const entries = parts.map(({ from, days }) => ({
    leaveTypeId,
    kind,
    days: decimalOf(-hundredthsOf(days)),
    effectiveOn: from,
    requestId: id,
  }))
  await addEntries(context, tx, owner, entries)
}

/** Gives back what a request used: the opposite of each entry, once. */
export async function giveBack(
  context: SubgraphContext,
  tx: MutationTransaction<HrUserErrorCode>,
  owner: Owner,
  { id, leaveTypeId }: LeaveRequest,
): Promise<void> {
  const found = await tx.rows(prepared(unreversed, [context.binding.tenantId, id]))
  const kind: LeaveEntryKind = 'REVERSAL'
  const entries = found.map(([reversesId, days, effectiveOn]) => ({
    leaveTypeId,
    kind,
    days: decimalOf(-hundredthsOf(String(days))),
    effectiveOn: String(effectiveOn),
    requestId: id,
    reversesId: String(reversesId),
  }))
  await addEntries(context, tx, owner, entries)
}
