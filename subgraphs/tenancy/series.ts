import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import { issueTime } from './rules/invoice'

/** The kinds of documents and records that have numbers, each a series of its own. */
export type Series = 'INVOICE' | 'CREDIT_NOTE' | 'PAYMENT'

const takeNumber = `
  INSERT INTO tenancy.invoice_series AS s (series, last_number) VALUES ($1, 1)
  ON CONFLICT (tenant_id, series) DO UPDATE SET last_number = s.last_number + 1
  RETURNING last_number, last_issued_at`
const noteIssue = `
  UPDATE tenancy.invoice_series SET last_issued_at = $3 WHERE tenant_id = $1 AND series = $2`

/**
 * Takes the next number of a series of the tenant, without gaps, and the time of issue, which is never before that of the number
 * before it. To be called after everything that can be looked up: whoever else issues waits from here to the end of the transaction.
 */
export async function nextInSeries(
  context: SubgraphContext,
  tx: MutationTransaction<string>,
  series: Series,
): Promise<{ place: number; issuedAt: string }> {
  const [[place, last]] = (await tx.rows(prepared(takeNumber, [series]))) as [[number, string | null]]
  // The time is read behind the number, so both say the same of what came first.
  const issuedAt = issueTime(context.clock.now(), last)
  await tx.run(prepared(noteIssue, [context.binding.tenantId, series, issuedAt]))
  return { place, issuedAt }
}
