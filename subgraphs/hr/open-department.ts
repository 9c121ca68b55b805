import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { isUuid } from '../../kernel/id'
import { prepared } from '../../kernel/statement'
import type { HrUserErrorCode } from './generated'

const findDepartment = 'SELECT is_active FROM hr.departments WHERE tenant_id = $1 AND id = $2 FOR SHARE'

/**
 * Fails with a user error on `departmentId` unless the department exists and is open. It stays so until the transaction
 * ends: closing waits for it, and then sees who came in.
 */
export async function requireOpenDepartment(
  context: SubgraphContext,
  tx: MutationTransaction<HrUserErrorCode>,
  departmentId: string | null | undefined,
): Promise<void> {
  if (departmentId === null || departmentId === undefined) return
  if (!isUuid(departmentId)) tx.fail('REFERENCE_NOT_FOUND', 'departmentId is not an id', 'departmentId')
  const [found] = await tx.rows(prepared(findDepartment, [context.binding.tenantId, departmentId]))
  if (!found) tx.fail('REFERENCE_NOT_FOUND', 'departmentId does not exist', 'departmentId')
  if (!found[0]) tx.fail('DEPARTMENT_CLOSED', 'This department is closed: reopen it first', 'departmentId')
}
