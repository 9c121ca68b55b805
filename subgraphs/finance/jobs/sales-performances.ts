import { UserErrors } from '../../../kernel/errors'
import type { SubgraphContext } from '../../../kernel/context'
import type { Job } from '../../../kernel/jobs'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { adjustments, lockSeller, monthFrom, performanceOf, reckon, rulesOf } from '../commission/compute'
import type { RuleBook } from '../commission/rule-book'
import type { FinanceUserErrorCode } from '../generated'

type Tx = MutationTransaction<FinanceUserErrorCode>

const pageSize = 500
/** Months that are looked at, with the present one: what is said later of a sale finds its month. */
const months = 13
const nobodys = '00000000-0000-0000-0000-000000000000'

/**
 * A page of those who sold in a month, or have a performance of it, which `is_present` tells, and of those who have earlier months that
 * are approved. Of months before the last one ($6 is false) only sales without a performance, and drafts.
 */
const findSellers = `
  SELECT s.user_id, s.currency, bool_or(s.is_present)
    FROM (SELECT a.user_id, t.currency, true AS is_present
            FROM finance.transactions t
            JOIN finance.sales_attributions a
              ON a.tenant_id = $1 AND a.transaction_id = coalesce(t.reversal_of_id, t.id)
           WHERE t.tenant_id = $1 AND t.type = 'INCOME'
             AND t.occurred_at >= $2::timestamptz AND t.occurred_at < $3::timestamptz
             AND ($6 OR NOT EXISTS (SELECT FROM finance.sales_performances p WHERE p.tenant_id = $1
                  AND p.user_id = a.user_id AND p.period_start = $4::date AND p.currency = t.currency))
          UNION ALL
          SELECT p.user_id, p.currency, p.period_start = $4::date
            FROM finance.sales_performances p
           WHERE p.tenant_id = $1 AND (p.period_start = $4::date AND ($6 OR p.status = 'DRAFT')
              OR $6 AND p.period_start >= $5 AND p.period_start < $4::date AND p.status IN ('APPROVED', 'PAID'))) AS s
   WHERE (s.user_id, s.currency) > ($7::uuid, $8)
   GROUP BY s.user_id, s.currency ORDER BY s.user_id, s.currency LIMIT ${pageSize}`

interface Seller {
  userId: string
  currency: string
  isPresent: boolean
}

async function* sellersIn(
  { binding }: SubgraphContext,
  tx: Tx,
  periodStart: string,
  isRecent: boolean,
): AsyncGenerator<Seller> {
  const instants = [periodStart, monthFrom(periodStart, 1)].map((one) => `${one}T00:00:00Z`)
  const days = [periodStart, monthFrom(periodStart, -12)]
  let after: [string, string] = [nobodys, '']
  for (;;) {
    const values = [binding.tenantId, ...instants, ...days, isRecent, ...after]
    const found = (await tx.rows(prepared(findSellers, values))) as [string, string, boolean][]
    for (const [userId, currency, isPresent] of found) yield { userId, currency, isPresent }
    const last = found.at(-1)
    if (!last || found.length < pageSize) return
    after = [last[0], last[1]]
  }
}

/** Tells whether an error is of what one sold: refused, or by the database (data exceptions, such as a sum that is out of range). */
const isOfSeller = (error: unknown): boolean =>
  error instanceof UserErrors || String((error as { code?: unknown }).code).startsWith('22')

async function reckonMonth(
  context: SubgraphContext,
  tx: Tx,
  rules: RuleBook,
  { userId, currency, isPresent, periodStart }: Seller & { periodStart: string },
): Promise<void> {
  const tenantId = context.binding.tenantId!
  if (!isPresent) {
    await lockSeller(tx, tenantId, { userId, currency })
    const of = { id: nobodys, userId, currency, periodStart }
    if ((await adjustments(tx, tenantId, of, await rules(userId))).length === 0) return
  }
  const performance = await performanceOf(context, tx, { userId, periodStart, currency }, undefined)
  if (performance.status === 'DRAFT') await reckon(context, tx, performance, rules)
}

/**
 * Reckons what everybody sold in the present month and the one before it, and in those of the year before what is a draft or what nobody
 * has reckoned: sales that were attributed late. Whoever sold nothing gets a performance only when months that are approved have changed. What
 * is submitted stays, so it may run at any time and again. Whose month cannot be reckoned keeps nobody else from theirs.
 */
export const salesPerformances: Job = {
  name: 'sales-performances',
  schedule: { cron: '20 3 * * *', timeZone: 'UTC' },
  async run(context, transaction, _, { signal }) {
    const tx = transaction as Tx
    const present = `${context.clock.now().toISOString().slice(0, 7)}-01`
    const rules = rulesOf(context, tx)
    // Too many rules for everybody are everybody's fault: the job fails.
    await rules(nobodys)
    for (let ago = months - 1; ago >= 0; ago--) {
      const periodStart = monthFrom(present, -ago)
      for await (const seller of sellersIn(context, tx, periodStart, ago <= 1)) {
        signal.throwIfAborted()
        try {
          await tx.savepoint(() => reckonMonth(context, tx, rules, { ...seller, periodStart }))
        } catch (error) {
          if (!isOfSeller(error)) throw error
          const { userId, currency } = seller
          context.log.error({ userId, currency, periodStart, err: error }, 'a performance cannot be reckoned')
        }
      }
    }
  },
}
