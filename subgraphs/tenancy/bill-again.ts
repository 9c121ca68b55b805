import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import type { Invoice } from './entities/Invoice'
import { PendingLine } from './entities/PendingLine'
import type { TenancyUserErrorCode } from './generated'
import { taxOfItsDay, type TaxTreatment } from './rules/tax'
import { todayOf } from './today'

const findLines = `
  SELECT description, quantity::text, unit_price::text, amount::text, service_start::text, service_end::text,
         COALESCE(tax_on, service_start)::text, tax_rate::text, tax_treatment, tax_reason FROM tenancy.invoice_lines WHERE tenant_id = $1 AND invoice_id = $2 AND service_start IS NOT NULL
   ORDER BY position`

/**
 * Has the lines of an invoice that the billing job made, and that became void, billed once more: its next run bills them with the
 * tax of the same days, as it was mended since; what they give back keeps the tax with which that was billed. What shall not be paid
 * is credited instead.
 */
export async function billAgain(
  context: SubgraphContext,
  tx: MutationTransaction<TenancyUserErrorCode>,
  { id, subscriptionId, billedFrom, isInterim }: Invoice,
): Promise<void> {
  if (subscriptionId === null || (billedFrom === null && !isInterim)) return
  const lines = await tx.rows(prepared(findLines, [context.binding.tenantId, id]))
  const dueOn = todayOf(context)
  await tx.insertAll(
    PendingLine,
    lines.map((line, place) => {
      const [description, quantity, unitPrice, amount, serviceStart, serviceEnd, ...tax] = line as string[]
      const [taxOn, taxRate, taxTreatment, taxReason] = tax as [string, string, TaxTreatment, string | null]
      return {
        ...{ subscriptionId, description, quantity, unitPrice, amount, serviceStart, serviceEnd },
        ...{ dueOn, place, taxOn },
        ...(amount!.startsWith('-') ? { taxRate, taxTreatment, taxReason } : taxOfItsDay),
      }
    }),
  )
}
