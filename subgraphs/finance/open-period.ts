import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import type { FinanceUserErrorCode } from './generated'

const findClosed = `
  SELECT b.closed_before::text, (SELECT p.status FROM finance.fiscal_periods p
          WHERE p.tenant_id = $1 AND p.year = $2 AND p.month = $3)
    FROM finance.books b WHERE b.tenant_id = $1 FOR SHARE OF b`

/**
 * Fails with PERIOD_CLOSED unless the books are open on a day: not before what is closed, and not in a softly closed period
 * unless the viewer may close periods. It stays so until the transaction ends: closing waits for it.
 * @param day YYYY-MM-DD
 * @param field the input field that is at fault
 */
export async function requireOpenPeriod(
  context: SubgraphContext,
  tx: MutationTransaction<FinanceUserErrorCode>,
  day: string,
  field: string | undefined,
): Promise<void> {
  const [year, month] = day.split('-').map(Number)
  const [found] = await tx.rows(prepared(findClosed, [context.binding.tenantId, year, month]))
  // Nothing was ever closed, nor anything posted.
  if (!found) return
  const [closedBefore, status] = found as [string | null, string | null]
  if (closedBefore !== null && day < closedBefore)
    tx.fail('PERIOD_CLOSED', `The books are closed before ${closedBefore}`, field)
  if (status === 'SOFT_CLOSED' && !context.viewer?.scopes.has('finance:period:write'))
    tx.fail(
      'PERIOD_CLOSED',
      `The period of ${day} is softly closed: only who closes periods posts in it`,
      field,
    )
}
