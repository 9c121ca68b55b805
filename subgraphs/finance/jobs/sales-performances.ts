import type { Job } from '../../../kernel/jobs'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { adjustments, lastManager, monthFrom, performanceOf, reckon } from '../commission/compute'
import type { FinanceUserErrorCode } from '../generated'

// True of those who have sold in the period, or a performance of it; others have months that are approved.
const findSellers = `
  SELECT s.user_id, s.currency, bool_or(s.is_present)
    FROM (SELECT a.user_id, t.currency, true AS is_present
            FROM finance.transactions t
            JOIN finance.sales_attributions a
              ON a.tenant_id = $1 AND a.transaction_id = coalesce(t.reversal_of_id, t.id)
           WHERE t.tenant_id = $1 AND t.type = 'INCOME'
             AND t.occurred_at >= $2::timestamptz AND t.occurred_at < $3::timestamptz
          UNION ALL
          SELECT p.user_id, p.currency, p.period_start = $4::date
            FROM finance.sales_performances p
           WHERE p.tenant_id = $1 AND (p.period_start = $4::date
              OR p.period_start >= $5 AND p.period_start < $4::date AND p.status IN ('APPROVED', 'PAID'))) AS s
   GROUP BY s.user_id, s.currency ORDER BY s.user_id, s.currency LIMIT 1000`
const nobodys = '00000000-0000-0000-0000-000000000000'

/**
 * Reckons what everybody sold in the present month and the one before it. Whoever sold nothing gets a performance only when
 * months that are approved have changed. What is submitted stays, so it may run at any time and again.
 */
export const salesPerformances: Job = {
  name: 'sales-performances',
  schedule: { cron: '20 3 * * *', timeZone: 'UTC' },
  async run(context, transaction) {
    const tx = transaction as MutationTransaction<FinanceUserErrorCode>
    const tenantId = context.binding.tenantId!
    const present = `${context.clock.now().toISOString().slice(0, 7)}-01`
    for (const periodStart of [monthFrom(present, -1), present]) {
      const instants = [periodStart, monthFrom(periodStart, 1)].map((one) => `${one}T00:00:00Z`)
      const days = [periodStart, monthFrom(periodStart, -12)]
      const found = await tx.rows(prepared(findSellers, [tenantId, ...instants, ...days]))
      for (const [userId, currency, isPresent] of found as [string, string, boolean][]) {
        const of = { id: nobodys, userId, currency, periodStart }
        if (!isPresent && (await adjustments(tx, tenantId, of)).length === 0) continue
        const managerId = await lastManager(tx, tenantId, userId, periodStart)
        const performance = await performanceOf(context, tx, { userId, periodStart, currency, managerId })
        if (performance.status === 'DRAFT') await reckon(context, tx, performance)
      }
    }
  },
}
