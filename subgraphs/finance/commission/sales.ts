import type { Statement } from '../../../kernel/connection/database'
import { prepared } from '../../../kernel/statement'
import { partsOf, type AttributedSale } from '../rules/commission'

/** Reads rows as arrays: within a mutation, a job or a query. */
export type ReadRows = (statement: Statement) => Promise<unknown[][]>

/** A question for sales; days are half-open. */
export interface SalesQuestion {
  tenantId: string
  currency: string
  periodStart: string
  periodEnd: string
  /** Everybody's when null. */
  userId: string | null
}

export interface UserSale extends AttributedSale {
  userId: string
}

/**
 * A place that sales come from. Another subgraph's, such as won opportunities, are read from what a job of finance has stored of
 * their events; nothing else changes when it is added to {@link salesSources}.
 */
export interface SalesSource {
  /** Parts of sales by the day of the sale and by its id, so that the same data come in the same order. */
  read(rows: ReadRows, question: SalesQuestion): Promise<UserSale[]>
}

/** The most parts of sales that are reckoned with at once. */
export const mostSales = 20_000

// A reversal is theirs whose the sale is. What was found to be fraudulent is no sale. Shares come in one order, whoever asks.
const findTransactions = `
  SELECT t.id, (t.occurred_at AT TIME ZONE 'UTC')::date::text, t.amount::text, t.category, t.department_id,
         array_agg(a.user_id::text ORDER BY a.share DESC, a.user_id), array_agg(a.share::text ORDER BY a.share DESC, a.user_id)
    FROM finance.transactions t
    JOIN finance.sales_attributions a
      ON a.tenant_id = $1 AND a.transaction_id = coalesce(t.reversal_of_id, t.id)
   WHERE t.tenant_id = $1 AND t.type = 'INCOME' AND t.currency = $2 AND NOT t.is_fraudulent
     AND t.occurred_at >= $3::timestamptz AND t.occurred_at < $4::timestamptz
   GROUP BY t.id, t.occurred_at, t.amount, t.category, t.department_id
  HAVING $5::text IS NULL OR $5::text = ANY (array_agg(a.user_id::text))
   ORDER BY t.occurred_at, t.id LIMIT ${mostSales + 1}`

type Row = [string, string, string, string | null, string | null, string[], string[]]

/** Transactions of this subgraph of the type INCOME that are attributed to users. */
export const attributedTransactions: SalesSource = {
  async read(rows, { tenantId, currency, periodStart, periodEnd, userId }) {
    const bounds = [`${periodStart}T00:00:00Z`, `${periodEnd}T00:00:00Z`]
    const found = await rows(prepared(findTransactions, [tenantId, currency, ...bounds, userId]))
    return (found as Row[]).flatMap(([sourceId, day, amount, category, departmentId, users, shares]) => {
      const parts = partsOf(amount, shares)
      return users
        .map((user, place) => ({
          sourceType: 'finance.transaction',
          sourceId,
          day,
          amount,
          category,
          departmentId,
          userId: user,
          share: shares[place]!,
          revenue: parts[place]!,
        }))
        .filter((sale) => userId === null || sale.userId === userId)
    })
  },
}

/** The places that sales come from, in the order in which they are reckoned. */
export const salesSources: readonly SalesSource[] = [attributedTransactions]

/** The sales of all sources. */
export async function readSales(rows: ReadRows, question: SalesQuestion): Promise<UserSale[]> {
  const found: UserSale[] = []
  for (const source of salesSources) found.push(...(await source.read(rows, question)))
  return found
}
