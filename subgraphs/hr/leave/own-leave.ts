import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import type { LeaveRequest } from '../entities/LeaveRequest'

/**
 * Columns that row rules look at are written here alone, past the guard of the kernel that refuses it to mutations: they are no choice of
 * whoever writes. The login is the employee's, as `hr:employee:link` says; the approver is the manager, the
 * head of the department, or was named by the approver before; whether a reason is medical is the kind of leave's.
 */
type Rows = Pick<MutationTransaction, 'run'>

const setRuled = `UPDATE hr.leave_requests SET user_id = $3, approver_id = $4, is_medical = $5, updated_at = $6
  WHERE tenant_id = $1 AND id = $2`
const setApprover =
  'UPDATE hr.leave_requests SET approver_id = $3, updated_at = $4 WHERE tenant_id = $1 AND id = $2'
const moveApprovals = `UPDATE hr.leave_requests
  SET approver_id = CASE WHEN user_id IS NOT DISTINCT FROM $3 THEN NULL ELSE $3 END, updated_at = $4
  WHERE tenant_id = $1 AND approver_id = $2 AND status = 'PENDING'`
const moveApprovalsOf = `UPDATE hr.leave_requests
  SET approver_id = CASE WHEN user_id IS NOT DISTINCT FROM $4 THEN NULL ELSE $4 END, updated_at = $5
  WHERE tenant_id = $1 AND employee_id = ANY ($2) AND approver_id IS NOT DISTINCT FROM $3 AND status = 'PENDING'`
const setEntryUser = 'UPDATE hr.leave_ledger_entries SET user_id = $3 WHERE tenant_id = $1 AND id = ANY ($2)'
const moveRequests = `UPDATE hr.leave_requests SET user_id = $3, updated_at = $4
  WHERE tenant_id = $1 AND employee_id = $2`
const moveEntries =
  'UPDATE hr.leave_ledger_entries SET user_id = $3 WHERE tenant_id = $1 AND employee_id = $2'

/** Says whose a new request is, who decides about it, and whether its reason is medical. */
export async function ownRequest(
  { binding, clock }: SubgraphContext,
  tx: Rows,
  request: LeaveRequest,
  ruled: Pick<LeaveRequest, 'userId' | 'approverId' | 'isMedical'>,
): Promise<LeaveRequest> {
  const { userId, approverId, isMedical } = ruled
  const now = clock.now().toISOString()
  const values = [binding.tenantId, request.id, userId, approverId, isMedical, now]
  await tx.run(prepared(setRuled, values))
  return Object.assign(request, ruled)
}

/** Has another user decide about a request. */
export async function nameApprover(
  { binding, clock }: SubgraphContext,
  tx: Rows,
  request: LeaveRequest,
  approverId: string,
): Promise<LeaveRequest> {
  const now = clock.now().toISOString()
  await tx.run(prepared(setApprover, [binding.tenantId, request.id, approverId, now]))
  return Object.assign(request, { approverId })
}

/** Says whose new entries of the ledger are. */
export async function ownEntries(
  { binding }: SubgraphContext,
  tx: Rows,
  ids: readonly string[],
  userId: string | null,
): Promise<void> {
  if (userId !== null && ids.length > 0) await tx.run(prepared(setEntryUser, [binding.tenantId, ids, userId]))
}

/** Gives requests that wait for somebody who leaves to somebody else, or to those who decide about all. */
export async function handApprovalsOn(
  { binding, clock }: SubgraphContext,
  tx: Rows,
  formerId: string,
  approverId: string | null,
): Promise<void> {
  const now = clock.now().toISOString()
  await tx.run(prepared(moveApprovals, [binding.tenantId, formerId, approverId, now]))
}

/**
 * Gives requests of some employees that wait for whoever decided about them to who does from here on; null: those who decide
 * about all. A request whose approver named somebody else stays with that one.
 */
export async function followDecider(
  { binding, clock }: SubgraphContext,
  tx: Rows,
  employeeIds: readonly string[],
  { formerId, approverId }: { formerId: string | null; approverId: string | null },
): Promise<void> {
  const values = [binding.tenantId, employeeIds, formerId, approverId, clock.now().toISOString()]
  await tx.run(prepared(moveApprovalsOf, values))
}

/** Moves what is an employee's own to another login, or to none. */
export async function followLogin(
  { binding, clock }: SubgraphContext,
  tx: Rows,
  employeeId: string,
  userId: string | null,
): Promise<void> {
  const now = clock.now().toISOString()
  await tx.run(prepared(moveRequests, [binding.tenantId, employeeId, userId, now]))
  await tx.run(prepared(moveEntries, [binding.tenantId, employeeId, userId]))
}
