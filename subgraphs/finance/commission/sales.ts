import { prepared, type Statement } from '../../../kernel/statement'
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

/**
 * Transactions with the shares of those whose they are, in one order, whoever asks. A reversal is theirs whose the sale is, and comes
 * with the day and amount of that sale. What was found to be fraudulent is no sale, and what reverses it takes none back.
 */
const salesFrom = (from: string) => `
  SELECT t.id, (t.occurred_at AT TIME ZONE 'UTC')::date::text, t.amount::text, t.category, t.department_id,
         (o.occurred_at AT TIME ZONE 'UTC')::date::text, o.amount::text, parts.users, parts.shares
    FROM ${from}
    LEFT JOIN finance.transactions o ON o.tenant_id = $1 AND o.id = t.reversal_of_id
   CROSS JOIN LATERAL (
         SELECT array_agg(a.user_id::text ORDER BY a.share DESC, a.user_id) AS users,
                array_agg(a.share::text ORDER BY a.share DESC, a.user_id) AS shares
           FROM finance.sales_attributions a
          WHERE a.tenant_id = $1 AND a.transaction_id = coalesce(t.reversal_of_id, t.id)) AS parts
   WHERE t.tenant_id = $1 AND t.type = 'INCOME' AND t.currency = $2 AND NOT t.is_fraudulent AND o.is_fraudulent IS NOT TRUE
     AND t.occurred_at >= $3::timestamptz AND t.occurred_at < $4::timestamptz AND parts.users IS NOT NULL
   ORDER BY t.occurred_at, t.id LIMIT ${mostSales + 1}`
const findEverybodys = salesFrom('finance.transactions t')
// By the indexes of what is this user's, however much the others sell.
const ofUser = (key: string) => `
  SELECT s.id FROM finance.sales_attributions a
    JOIN finance.transactions s ON s.tenant_id = $1 AND s.${key} = a.transaction_id
   WHERE a.tenant_id = $1 AND a.user_id = $5 AND s.occurred_at >= $3::timestamptz AND s.occurred_at < $4::timestamptz`
const findUsers = salesFrom(`(${ofUser('id')} UNION ALL ${ofUser('reversal_of_id')}) AS own
    JOIN finance.transactions t ON t.tenant_id = $1 AND t.id = own.id`)

type Row = [
  ...[id: string, day: string, amount: string, category: string | null, departmentId: string | null],
  ...[originalDay: string | null, originalAmount: string | null, users: string[], shares: string[]],
]

/** Transactions of this subgraph of the type INCOME that are attributed to users. */
export const attributedTransactions: SalesSource = {
  async read(rows, { tenantId, currency, periodStart, periodEnd, userId }) {
    const values = [tenantId, currency, `${periodStart}T00:00:00Z`, `${periodEnd}T00:00:00Z`]
    const asked =
      userId === null ? prepared(findEverybodys, values) : prepared(findUsers, [...values, userId])
    return ((await rows(asked)) as Row[]).flatMap((row) => {
      const [sourceId, day, amount, category, departmentId, originalDay, originalAmount, users, shares] = row
      const parts = partsOf(amount, shares)
      const original =
        originalDay !== null && originalAmount !== null ? { day: originalDay, amount: originalAmount } : null
      const sale = {
        sourceType: 'finance.transaction',
        sourceId,
        day,
        amount,
        category,
        departmentId,
        original,
      }
      return users
        .map((user, place) => ({
          ...{ ...sale, shares, place },
          ...{ userId: user, share: shares[place]!, revenue: parts[place]! },
        }))
        .filter((one) => userId === null || one.userId === userId)
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
