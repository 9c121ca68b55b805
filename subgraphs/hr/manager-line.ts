import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import { Employee } from './entities/Employee'
import type { HrUserErrorCode } from './generated'
import { followDeciderInTime, handTimeOn } from './attendance/own-time'
import { followDecider, handApprovalsOn } from './leave/own-leave'
import { referred } from './own-employment'

type Tx = MutationTransaction<HrUserErrorCode>

const lineUp = 'SELECT manager_id FROM hr.employees WHERE tenant_id = $1 AND id = $2 FOR SHARE'
const userOf = 'SELECT user_id FROM hr.employees WHERE tenant_id = $1 AND id = $2 AND is_active'
const reportsOf = 'SELECT id FROM hr.employees WHERE tenant_id = $1 AND manager_id = $2 FOR UPDATE'
const moveReports = `UPDATE hr.employees SET manager_id = $3, version = version + 1, updated_at = $4
  WHERE tenant_id = $1 AND id = ANY ($2)`
const headOfDepartment = 'SELECT head_id FROM hr.departments WHERE tenant_id = $1 AND id = $2'
/** Lines are not longer than this: what is, goes in a circle. */
const longestLine = 100

/**
 * Ends the mutation unless somebody can be the manager of an employee, whose row is locked: works for the tenant, and does not
 * stand below the employee. The line above stays as it is until the transaction ends, so two changes at once make no circle:
 * one waits for the other, or is run again.
 */
export async function requireManager(
  { binding }: SubgraphContext,
  tx: Tx,
  employeeId: string,
  managerId: string,
): Promise<void> {
  if (managerId.toLowerCase() === employeeId)
    tx.fail('INVALID', 'managerId must be somebody else', 'managerId')
  const { isActive } = await referred(tx, Employee, managerId, 'managerId')
  if (!isActive) tx.fail('NOT_EMPLOYED', 'The manager has left: choose somebody who works here', 'managerId')
  let above: string | null = managerId
  for (let level = 0; above !== null; level++) {
    const [row]: unknown[][] = await tx.rows(prepared(lineUp, [binding.tenantId, above]))
    above = (row?.[0] ?? null) as string | null
    if (above === employeeId || level === longestLine)
      tx.fail('INVALID', 'managerId stands below the employee: that would be a circle', 'managerId')
  }
}

/** The login of an employee who works here; null when there is none. */
export async function loginOf(
  { binding }: Pick<SubgraphContext, 'binding'>,
  tx: Pick<Tx, 'rows'>,
  employeeId: string | null,
): Promise<string | null> {
  if (employeeId === null) return null
  const [row] = await tx.rows(prepared(userOf, [binding.tenantId, employeeId]))
  return (row?.[0] ?? null) as string | null
}

/**
 * Hands on what somebody who leaves decided about: reports get the leaver's manager, and so do leave, attendance and overtime that wait,
 * or those who decide about all when there is none.
 */
export async function handLineOn(context: SubgraphContext, tx: Tx, leaver: Employee): Promise<void> {
  const { tenantId } = context.binding
  const found = await tx.rows(prepared(reportsOf, [tenantId, leaver.id]))
  const ids = found.map(([id]) => String(id))
  if (ids.length > 0) {
    const now = context.clock.now().toISOString()
    await tx.run(prepared(moveReports, [tenantId, ids, leaver.managerId, now]))
    const changes = { before: { managerId: leaver.id }, after: { managerId: leaver.managerId } }
    for (const resourceId of ids)
      tx.audit({ action: 'UPDATE', resourceType: 'Employee', resourceId, changes })
  }
  if (leaver.userId === null) return
  const next = await loginOf(context, tx, leaver.managerId)
  await handApprovalsOn(context, tx, leaver.userId, next)
  await handTimeOn(context, tx, leaver.userId, next)
}

/**
 * Makes a change of who an employee works for, and has leave and attendance that wait follow it: to the new manager, or the head
 * of the new department.
 */
export async function withDecisions(
  context: SubgraphContext,
  tx: Tx,
  before: Employee,
  change: () => Promise<Employee>,
): Promise<Employee> {
  const formerId = await approverOf(context, tx, before)
  const changed = await change()
  const approverId = await approverOf(context, tx, changed)
  if (approverId !== formerId) await handOn(context, tx, [changed.id], { formerId, approverId })
  return changed
}

const ledByHead = `SELECT e.id FROM hr.employees e
    LEFT JOIN hr.employees m ON m.tenant_id = $1 AND m.id = e.manager_id AND m.is_active AND m.user_id IS NOT NULL
   WHERE e.tenant_id = $1 AND e.department_id = $2 AND m.id IS NULL`

/** Has leave and attendance that wait follow a change of the head of a department, where no manager decides. */
export async function followHead(
  context: SubgraphContext,
  tx: Tx,
  departmentId: string,
  { formerId, approverId }: { formerId: string | null; approverId: string | null },
): Promise<void> {
  if (formerId === approverId) return
  const rows = await tx.rows(prepared(ledByHead, [context.binding.tenantId, departmentId]))
  const ids = rows.map(([id]) => String(id))
  if (ids.length > 0) await handOn(context, tx, ids, { formerId, approverId })
}

async function handOn(
  context: SubgraphContext,
  tx: Tx,
  ids: readonly string[],
  deciders: { formerId: string | null; approverId: string | null },
): Promise<void> {
  await followDecider(context, tx, ids, deciders)
  await followDeciderInTime(context, tx, ids, deciders)
}

/**
 * Finds who decides about an employee: the manager, or the head of the department, unless that is the employee; null for those who
 * decide about all.
 */
export async function approverOf(
  context: SubgraphContext,
  tx: Tx,
  employee: Employee,
): Promise<string | null> {
  const manager = await loginOf(context, tx, employee.managerId)
  if (manager !== null) return manager
  if (!employee.departmentId) return null
  const values = [context.binding.tenantId, employee.departmentId]
  const [row] = await tx.rows(prepared(headOfDepartment, values))
  const head = (row?.[0] ?? null) as string | null
  return head === employee.userId ? null : head
}
