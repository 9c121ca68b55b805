import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { Employee } from './entities/Employee'
import type { HrUserErrorCode } from './generated'
import { isOwn } from './rules/employment'

/**
 * The employee, locked until the transaction ends: what belongs to an employee is written one after the other. Ends the
 * mutation with OWN_RECORD when it is the viewer, who would decide in a case of the own.
 * @param field the input field that the error names
 */
export async function requireOthers(
  context: SubgraphContext,
  tx: MutationTransaction<HrUserErrorCode>,
  employeeId: string,
  field = 'employeeId',
): Promise<Employee> {
  const employee = await tx.find(Employee, employeeId)
  if (isOwn(employee, context.viewer?.userId))
    tx.fail('OWN_RECORD', 'Somebody else must do this: it is about yourself', field)
  return employee
}
