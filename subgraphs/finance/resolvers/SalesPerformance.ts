import { needs } from '../../../kernel/entity'
import { isUuid } from '../../../kernel/id'
import { load } from '../../../kernel/load'
import { money } from '../../../kernel/money'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { valueByKey } from '../../../kernel/query'
import { requireOwnHand } from '../../../kernel/second-person'
import { prepared } from '../../../kernel/statement'
import { summary } from '../../../kernel/summary'
import {
  approvePerformance,
  computePerformance,
  disputePerformance,
  payPerformance,
  recalculatePerformance,
  submitPerformance,
} from '../commission/settle'
import { CommissionRule } from '../entities/CommissionRule'
import { SalesAttribution } from '../entities/SalesAttribution'
import { SalesPerformance } from '../entities/SalesPerformance'
import { SalesPerformanceLine } from '../entities/SalesPerformanceLine'
import { Transaction } from '../entities/Transaction'
import type { SubgraphContext } from '../../../kernel/context'
import type { FinanceUserErrorCode, Resolvers } from '../generated'
import { replayed, splitFault, totalsOf, type CommissionLine } from '../rules/commission'

const defaultOrder = { property: 'periodStart', direction: 'DESC' } as const
const byPosition = { defaultOrder: { property: 'position', direction: 'ASC' } } as const
const newest = { defaultOrder: { property: 'createdAt', direction: 'DESC' } } as const
const reference = (id: string | null) => (id ? { id } : null)
const lockTransaction =
  'SELECT t.id, t.type, t.reversal_of_id FROM finance.transactions t WHERE t.tenant_id = $1 AND t.id = $2 FOR UPDATE'
const findAttributions = `
  SELECT a.id, a.user_id FROM finance.sales_attributions a WHERE a.tenant_id = $1 AND a.transaction_id = $2 ORDER BY a.id`
const findLines = `
  SELECT l.performance_id, jsonb_agg(jsonb_build_object('kind', l.kind, 'revenue', l.revenue::text, 'base', l.base::text,
         'rate', l.rate::text, 'flatAmount', l.flat_amount::text, 'share', l.share::text, 'commission', l.commission::text))
    FROM finance.sales_performance_lines l WHERE l.tenant_id = $1 AND l.performance_id = ANY ($2::uuid[])
   GROUP BY l.performance_id`
const linesOf = valueByKey<CommissionLine[]>(findLines, [])

/** The most parts of a sale. */
const mostParts = 20

/** Ends the mutation when the viewer, or in whose hand the viewer's account is, has or gets a part of the sale. */
async function requireOthers(
  context: SubgraphContext,
  tx: MutationTransaction<FinanceUserErrorCode>,
  users: readonly string[],
): Promise<void> {
  if (users.some((userId) => userId === context.viewer?.userId))
    tx.fail('OWN_RECORD', 'Somebody else must say whether a sale is yours', 'attributions')
  await requireOwnHand(context, tx, users, { code: 'OWN_RECORD', field: 'attributions', isRecorded: true })
}

export const salesPerformance: Resolvers = {
  Query: {
    salesPerformance: (_, { id }, context, info) => load(context, SalesPerformance, id, info),
    salesPerformances: (_, args, context, info) =>
      page(context, SalesPerformance, args, info, { defaultOrder }),
    salesPerformanceSummary: (_, args, context, info) => summary(context, SalesPerformance, args, info),
    salesAttributions: (_, args, context, info) => page(context, SalesAttribution, args, info, newest),
  },
  Mutation: {
    setSalesAttributions: (_, { input: { transactionId, attributions } }, context) =>
      mutate(context, async (tx) => {
        if (attributions.length > mostParts)
          tx.fail('INVALID', `attributions are at most ${mostParts}`, 'attributions')
        const fault = splitFault(attributions.map(({ share }) => share))
        if (fault) tx.fail('INVALID', `share ${fault}`, 'attributions')
        // Locked, so that what two say at once does not add up to more than all of it.
        const { tenantId } = context.binding
        const asked = isUuid(transactionId) ? prepared(lockTransaction, [tenantId, transactionId]) : null
        const [sale] = asked ? await tx.rows(asked) : []
        if (!sale) tx.fail('REFERENCE_NOT_FOUND', 'transactionId does not exist', 'transactionId')
        const [id, type, reversalOfId] = sale as [string, string, string | null]
        if (type !== 'INCOME' || reversalOfId !== null)
          tx.fail('INVALID', 'transactionId is not of a sale: INCOME that reverses nothing', 'transactionId')
        const present = await tx.rows(prepared(findAttributions, [tenantId, id]))
        const named = attributions.map(({ userId }) => userId.toLowerCase()).filter(isUuid)
        await requireOthers(context, tx, [...present.map(([, userId]) => String(userId)), ...named])
        if (present.length > 0)
          await tx.removeAll(
            SalesAttribution,
            present.map(([one]) => String(one)),
          )
        const rows = attributions.map((one) => ({ transactionId: id, ...one }))
        return { salesAttributions: rows.length > 0 ? await tx.insertAll(SalesAttribution, rows) : [] }
      }),
    computeSalesPerformance: (_, { input }, context) =>
      mutate(context, async (tx) => ({ salesPerformance: await computePerformance(context, tx, input) })),
    recalculateSalesPerformance: (_, { input }, context) =>
      mutate(context, async (tx) => ({ salesPerformance: await recalculatePerformance(context, tx, input) })),
    submitSalesPerformance: (_, { input }, context) =>
      mutate(context, async (tx) => ({ salesPerformance: await submitPerformance(context, tx, input) })),
    approveSalesPerformance: (_, { input }, context) =>
      mutate(context, async (tx) => ({ salesPerformance: await approvePerformance(context, tx, input) })),
    disputeSalesPerformance: (_, { input }, context) =>
      mutate(context, async (tx) => ({ salesPerformance: await disputePerformance(context, tx, input) })),
    paySalesPerformance: (_, { input }, context) =>
      mutate(context, async (tx) => ({ salesPerformance: await payPerformance(context, tx, input) })),
  },
  Transaction: {
    salesAttributions: needs(Transaction, ['id'], ({ id }, args, context, info) =>
      nested(context, SalesAttribution, 'transactionId', id, args, info, newest),
    ),
  },
  SalesPerformance: {
    user: needs(SalesPerformance, ['userId'], (row) => reference(row.userId)),
    manager: needs(SalesPerformance, ['managerId'], (row) => reference(row.managerId)),
    revenue: needs(SalesPerformance, ['revenue', 'currency'], (row) => money(row.revenue, row.currency)),
    commission: needs(SalesPerformance, ['commission', 'currency'], (row) =>
      money(row.commission, row.currency),
    ),
    isReplayable: needs(SalesPerformance, ['id', 'revenue', 'commission'], async (row, _args, context) => {
      const lines = await linesOf(context, row.id)
      const { revenue, commission } = totalsOf(lines)
      const isExact = lines.every((line) => replayed(line) === line.commission)
      return isExact && revenue === row.revenue && commission === row.commission
    }),
    lines: needs(SalesPerformance, ['id'], ({ id }, args, context, info) =>
      nested(context, SalesPerformanceLine, 'performanceId', id, args, info, byPosition),
    ),
    submittedBy: needs(SalesPerformance, ['submittedById'], (row) => reference(row.submittedById)),
    approvedBy: needs(SalesPerformance, ['approvedById'], (row) => reference(row.approvedById)),
    transaction: one(SalesPerformance, 'transactionId', Transaction),
  },
  SalesPerformanceLine: {
    rule: one(SalesPerformanceLine, 'ruleId', CommissionRule),
    revenue: needs(SalesPerformanceLine, ['revenue', 'currency'], (row) => money(row.revenue, row.currency)),
    base: needs(SalesPerformanceLine, ['base', 'currency'], (row) => money(row.base, row.currency)),
    rate: needs(SalesPerformanceLine, ['rate'], ({ rate }) => rate && rate.replace(/(\.\d\d)0+$/, '$1')),
    flatAmount: needs(SalesPerformanceLine, ['flatAmount', 'currency'], (row) =>
      money(row.flatAmount, row.currency),
    ),
    commission: needs(SalesPerformanceLine, ['commission', 'currency'], (row) =>
      money(row.commission, row.currency),
    ),
    adjusts: one(SalesPerformanceLine, 'adjustsId', SalesPerformance),
  },
  SalesAttribution: {
    transaction: one(SalesAttribution, 'transactionId', Transaction),
    user: needs(SalesAttribution, ['userId'], (row) => reference(row.userId)),
    createdBy: needs(SalesAttribution, ['createdById'], (row) => reference(row.createdById)),
  },
}
