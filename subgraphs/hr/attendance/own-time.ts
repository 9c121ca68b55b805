import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'

/**
 * Columns that row rules look at are written with the row, and later here alone, past the guard of the kernel that refuses it to
 * mutations: they are no choice of whoever writes. The login is the employee's, as `hr:employee:link` says; the approver
 * is the manager, or the head of the department.
 */
type Rows = Pick<MutationTransaction, 'run'>

const setApprover = `UPDATE hr.attendance_records SET approver_id = $3, updated_at = $4
  WHERE tenant_id = $1 AND id = $2`
const setApproverOfOvertime = `UPDATE hr.overtime_records
  SET approver_id = CASE WHEN user_id IS NOT DISTINCT FROM $3 THEN NULL ELSE $3 END, updated_at = $4
  WHERE tenant_id = $1 AND id = ANY ($2)`
const moveAttendance = `UPDATE hr.attendance_records
  SET user_id = $3, approver_id = nullif(approver_id, $3), updated_at = $4
  WHERE tenant_id = $1 AND employee_id = $2`
const moveDecisions = `UPDATE hr.attendance_records
  SET approver_id = CASE WHEN user_id IS NOT DISTINCT FROM $3 THEN NULL ELSE $3 END, updated_at = $4
  WHERE tenant_id = $1 AND approver_id = $2
    AND (status IN ('OPEN', 'COMPLETE', 'INCOMPLETE') OR corrected_clock_in_at IS NOT NULL)`

const moveOvertime = `UPDATE hr.overtime_records
  SET user_id = $3, approver_id = nullif(approver_id, $3), updated_at = $4
  WHERE tenant_id = $1 AND employee_id = $2`
const moveOvertimeDecisions = `UPDATE hr.overtime_records
  SET approver_id = CASE WHEN user_id IS NOT DISTINCT FROM $3 THEN NULL ELSE $3 END, updated_at = $4
  WHERE tenant_id = $1 AND approver_id = $2 AND status IN ('PROPOSED', 'REQUESTED')`
const moveDecisionsOf = `UPDATE hr.attendance_records
  SET approver_id = CASE WHEN user_id IS NOT DISTINCT FROM $4 THEN NULL ELSE $4 END, updated_at = $5
  WHERE tenant_id = $1 AND employee_id = ANY ($2) AND approver_id IS NOT DISTINCT FROM $3
    AND (status IN ('OPEN', 'COMPLETE', 'INCOMPLETE') OR corrected_clock_in_at IS NOT NULL)`
const moveOvertimeDecisionsOf = `UPDATE hr.overtime_records
  SET approver_id = CASE WHEN user_id IS NOT DISTINCT FROM $4 THEN NULL ELSE $4 END, updated_at = $5
  WHERE tenant_id = $1 AND employee_id = ANY ($2) AND approver_id IS NOT DISTINCT FROM $3
    AND status IN ('PROPOSED', 'REQUESTED')`

const moveRemote = `UPDATE hr.remote_work_sessions
  SET user_id = $3, approver_id = nullif(approver_id, $3), updated_at = $4
  WHERE tenant_id = $1 AND employee_id = $2`
// Where somebody worked is shown to nobody who decides no more: what is to come follows who does, the rest is shown to neither.
const isToCome = "status IN ('REQUESTED', 'APPROVED')"
const moveRemoteDecisions = `UPDATE hr.remote_work_sessions
  SET approver_id = CASE WHEN ${isToCome} AND user_id IS DISTINCT FROM $3 THEN $3 END, updated_at = $4
  WHERE tenant_id = $1 AND approver_id = $2`
const moveRemoteDecisionsOf = `UPDATE hr.remote_work_sessions
  SET approver_id = CASE WHEN ${isToCome} AND user_id IS DISTINCT FROM $4 THEN $4 END, updated_at = $5
  WHERE tenant_id = $1 AND employee_id = ANY ($2) AND approver_id IS NOT DISTINCT FROM $3
    AND (approver_id IS NOT NULL OR ${isToCome})`

/** Has whoever is to decide about an employee today decide about a record. */
export async function nameDecider<R extends { id: string; approverId: string | null }>(
  { binding, clock }: SubgraphContext,
  tx: Rows,
  record: R,
  approverId: string | null,
): Promise<R> {
  if (record.approverId === approverId) return record
  await tx.run(prepared(setApprover, [binding.tenantId, record.id, approverId, clock.now().toISOString()]))
  return Object.assign(record, { approverId })
}

/** Has whoever is to decide about an employee today decide about overtime that waits again. */
export async function nameDeciderOfOvertime(
  { binding, clock }: SubgraphContext,
  tx: Rows,
  ids: readonly string[],
  approverId: string | null,
): Promise<void> {
  const values = [binding.tenantId, ids, approverId, clock.now().toISOString()]
  await tx.run(prepared(setApproverOfOvertime, values))
}

/** Gives what waits for somebody who leaves to somebody else, or to those who decide about all. */
export async function handTimeOn(
  { binding, clock }: SubgraphContext,
  tx: Rows,
  formerId: string,
  approverId: string | null,
): Promise<void> {
  const values = [binding.tenantId, formerId, approverId, clock.now().toISOString()]
  await tx.run(prepared(moveDecisions, values))
  await tx.run(prepared(moveOvertimeDecisions, values))
  await tx.run(prepared(moveRemoteDecisions, values))
}

/** Gives what waits of some employees for whoever decided about them to who does from here on; null: those who decide about all. */
export async function followDeciderInTime(
  { binding, clock }: SubgraphContext,
  tx: Rows,
  employeeIds: readonly string[],
  { formerId, approverId }: { formerId: string | null; approverId: string | null },
): Promise<void> {
  const values = [binding.tenantId, employeeIds, formerId, approverId, clock.now().toISOString()]
  await tx.run(prepared(moveDecisionsOf, values))
  await tx.run(prepared(moveOvertimeDecisionsOf, values))
  await tx.run(prepared(moveRemoteDecisionsOf, values))
}

/** Moves what is an employee's own to another login, or to none. */
export async function followLoginInTime(
  { binding, clock }: SubgraphContext,
  tx: Rows,
  employeeId: string,
  userId: string | null,
): Promise<void> {
  const values = [binding.tenantId, employeeId, userId, clock.now().toISOString()]
  await tx.run(prepared(moveAttendance, values))
  await tx.run(prepared(moveOvertime, values))
  await tx.run(prepared(moveRemote, values))
}
