import type { SubgraphContext } from '../../kernel/context'
import type { EntityClass } from '../../kernel/entity'
import { isUuid } from '../../kernel/id'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import { Employee } from './entities/Employee'
import type { HrUserErrorCode } from './generated'
import { requireNotOwn } from './own-employment'
import { isOwn } from './rules/employment'

type Tx = MutationTransaction<HrUserErrorCode>

/** Which row is meant, and as which version somebody saw it. */
export interface Change {
  id: string
  expectedVersion: number
}

/** A row that belongs to an employee and that somebody decides about. */
interface DecidedRow {
  version: number
  approverId: string | null
}

/** Names an entity whose rows somebody decides about, and says by what they are found. */
export interface Decided<E> {
  entity: EntityClass<E>
  /** Finds the employee's id: $1 is the tenant, $2 the row. */
  employeeText: string
  noun: string
  /** The scope that shows all of them. */
  read: string
}

/**
 * A row with its employee, both locked: the employee first, as all who write what is an employee's do. Ends the mutation as if there
 * were none when the viewer may not see it.
 * @param scope what lets somebody do it about everybody
 */
export async function lockDecided<E extends DecidedRow>(
  { viewer, binding }: SubgraphContext,
  tx: Tx,
  { entity, employeeText, noun, read }: Decided<E>,
  { id, expectedVersion }: Change,
  scope: string,
) {
  const [row] = isUuid(id) ? await tx.rows(prepared(employeeText, [binding.tenantId, id])) : []
  const employee = row ? await tx.find(Employee, String(row[0])) : null
  const record = await tx.find(entity, id)
  if (!employee) tx.fail('NOT_FOUND', `There is no ${noun} with this id`, 'id')
  const isViewers = isOwn(employee, viewer?.userId)
  const isDeciders = record.approverId !== null && record.approverId === viewer?.userId
  const mayAct = viewer?.scopes.has(scope) === true
  if (!mayAct && !isViewers && !isDeciders && !viewer?.scopes.has(read))
    tx.fail('NOT_FOUND', `There is no ${noun} with this id`, 'id')
  // A version that nobody saw is not judged.
  if (record.version !== expectedVersion)
    tx.fail('STALE_VERSION', `The ${noun} is at version ${record.version}: read it again`, 'expectedVersion')
  return { record, employee, isViewers, isDeciders, mayAct }
}

/** A row for somebody who may decide about it: its approver, or who decides about all; never its employee. */
export async function lockForDecision<E extends DecidedRow>(
  context: SubgraphContext,
  tx: Tx,
  decided: Decided<E>,
  change: Change,
  scope: string,
) {
  const found = await lockDecided(context, tx, decided, change, scope)
  await requireNotOwn(context, tx, found.employee, { field: 'id', what: 'your own work' })
  if (!found.mayAct && !found.isDeciders)
    tx.fail('PERMISSION_NOT_HELD', `You lack ${scope}, and somebody else is to decide`, 'id')
  return found
}
