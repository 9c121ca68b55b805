import type { SubgraphContext } from '../../kernel/context'
import type { UserError } from '../../kernel/errors'
import { mutate, type MutateOptions, type MutationTransaction } from '../../kernel/mutate'
import { platformAction, requireOperator } from '../../kernel/operator'
import type { TenancyUserErrorCode } from './generated'

const refused: { userErrors: UserError<TenancyUserErrorCode>[] } = {
  userErrors: [
    {
      code: 'NO_ENTRY',
      message: 'Enter the tenant first with enterTenant, and send the token that it gives',
      field: null,
    },
  ],
}

/**
 * Changes what is the operator's to change in the tenant that they entered, as `mutate` does: the tenant's audit trail names the
 * operator as actor, and the platform's own trail tells it in the same transaction. An operator who is in no tenant gets the
 * user error NO_ENTRY.
 * @param action words in capitals, such as `ISSUE_INVOICE`
 * @param work returns the payload: the trail tells the ids of its rows, by their names
 * @throws FORBIDDEN for everybody but operators
 */
export async function mutateInEntry<T extends object>(
  context: SubgraphContext,
  action: string,
  work: (tx: MutationTransaction<TenancyUserErrorCode>) => Promise<T>,
  options: MutateOptions = {},
): Promise<Partial<T> & { userErrors: UserError<TenancyUserErrorCode>[] }> {
  const { entryId } = requireOperator(context)
  const { tenantId } = context.binding
  if (!entryId || !tenantId) return Object.assign<Partial<T>, typeof refused>({}, refused)
  const noted = async (tx: MutationTransaction<TenancyUserErrorCode>): Promise<T> => {
    const payload = await work(tx)
    const ids = Object.fromEntries(
      Object.entries(payload).flatMap(([name, row]: [string, { id?: unknown } | null]) =>
        typeof row?.id === 'string' ? [[`${name}Id`, row.id]] : [],
      ),
    )
    await tx.rows(platformAction(context, action, tenantId, { entryId, ...ids }))
    return payload
  }
  return mutate(context, noted, options)
}
