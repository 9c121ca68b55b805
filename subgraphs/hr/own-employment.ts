import type { SubgraphContext } from '../../kernel/context'
import type { EntityClass } from '../../kernel/entity'
import { UserErrors } from '../../kernel/errors'
import { isUuid } from '../../kernel/id'
import type { MutationTransaction } from '../../kernel/mutate'
import { requireOwnHand } from '../../kernel/second-person'
import { Employee } from './entities/Employee'
import type { HrUserErrorCode } from './generated'
import { isOwn, loginsOf } from './rules/employment'

/**
 * The row that an input refers to, locked until the transaction ends.
 * @param field the input field: without such a row the mutation ends with REFERENCE_NOT_FOUND on it
 */
export async function referred<E>(
  tx: MutationTransaction<HrUserErrorCode>,
  entity: EntityClass<E>,
  id: string,
  field: string,
): Promise<E> {
  if (!isUuid(id)) tx.fail('REFERENCE_NOT_FOUND', `${field} is not an id`, field)
  try {
    return await tx.find(entity, id)
  } catch (error) {
    if (error instanceof UserErrors && error.errors[0]?.code === 'NOT_FOUND')
      tx.fail('REFERENCE_NOT_FOUND', `${field} does not exist`, field)
    throw error
  }
}

/**
 * Ends a mutation with OWN_RECORD when the employee is the viewer or was, or when the viewer is in their hand.
 * @param field the input field that the error names
 * @param isRecorded see `requireOwnHand`
 */
export async function requireNotOwn(
  context: SubgraphContext,
  tx: Pick<MutationTransaction<HrUserErrorCode>, 'rows' | 'fail'>,
  employee: Employee,
  { field, isRecorded, what }: { field: string; isRecorded?: boolean; what: string },
): Promise<void> {
  const concerned = loginsOf(employee)
  const { viewer } = context
  if (viewer && concerned.includes(viewer.userId))
    tx.fail('OWN_RECORD', `Somebody else must do this: it is ${what}`, field)
  await requireOwnHand(context, tx, concerned, { code: 'OWN_RECORD', field, isRecorded })
}

/**
 * The employee, locked until the transaction ends: what belongs to an employee is written one after the other. Ends the
 * mutation with OWN_RECORD when it is the viewer, who would decide in a case of the own.
 * @param field the input field that the error names
 * @param of `isRecorded`, see `requireOwnHand`; `isIndifferent` where nobody gains, so that no hand counts
 */
export async function requireOthers(
  context: SubgraphContext,
  tx: MutationTransaction<HrUserErrorCode>,
  employeeId: string,
  field = 'employeeId',
  { isIndifferent = false, isRecorded = false } = {},
): Promise<Employee> {
  const employee = await referred(tx, Employee, employeeId, field)
  const what = 'about yourself'
  if (isIndifferent && isOwn(employee, context.viewer?.userId))
    tx.fail('OWN_RECORD', `Somebody else must do this: it is ${what}`, field)
  if (!isIndifferent) await requireNotOwn(context, tx, employee, { field, isRecorded, what })
  return employee
}
