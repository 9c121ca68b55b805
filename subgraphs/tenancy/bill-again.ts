import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import type { Invoice } from './entities/Invoice'
import { PendingLine } from './entities/PendingLine'
import type { TenancyUserErrorCode } from './generated'
import { todayOf } from './today'

const findLines = `
  SELECT description, quantity::text, unit_price::text, amount::text, service_start::text, service_end::text
    FROM tenancy.invoice_lines WHERE tenant_id = $1 AND invoice_id = $2 AND service_start IS NOT NULL ORDER BY position`

/**
 * Has the lines of an invoice that the billing job made, and that became void, billed once more: its next run bills them with the
 * tax that holds then, since an invoice is made void for what is wrong with it. What shall not be paid is credited instead.
 */
export async function billAgain(
  context: SubgraphContext,
  tx: MutationTransaction<TenancyUserErrorCode>,
  { id, subscriptionId, billedFrom, isInterim }: Invoice,
): Promise<void> {
  if (subscriptionId === null || (billedFrom === null && !isInterim)) return
  const lines = (await tx.rows(prepared(findLines, [context.binding.tenantId, id]))) as string[][]
  const dueOn = todayOf(context)
  await tx.insertAll(
    PendingLine,
    lines.map(([description, quantity, unitPrice, amount, serviceStart, serviceEnd], place) => ({
      ...{ subscriptionId, description, quantity, unitPrice, amount, serviceStart, serviceEnd, dueOn, place },
    })),
  )
}
