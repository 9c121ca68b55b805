import { needs } from '../../../kernel/entity'
import { queryTooCostly } from '../../../kernel/errors'
import { isUuid } from '../../../kernel/id'
import { load } from '../../../kernel/load'
import { money } from '../../../kernel/money'
import { mutate } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { monthFrom } from '../commission/compute'
import { ruleById } from '../commission/rule-book'
import {
  approveRule,
  authorsOf,
  endRule,
  requireSound,
  reviseRule,
  ruleColumns,
  ruleIn,
} from '../commission/rule-versions'
import { mostSales, readSales } from '../commission/sales'
import { CommissionRule } from '../entities/CommissionRule'
import type { Resolvers } from '../generated'
import { commissionLines, lowerEnds, totalsOf } from '../rules/commission'

const defaultOrder = { property: 'startDate', direction: 'DESC' } as const
const reference = (id: string | null) => (id ? { id } : null)

export const commissionRule: Resolvers = {
  Query: {
    commissionRule: (_, { id }, context, info) => load(context, CommissionRule, id, info),
    commissionRules: (_, args, context, info) => page(context, CommissionRule, args, info, { defaultOrder }),
    simulateCommission: async (_, { commissionRuleId, periodStart, currency }, context) => {
      const { db, binding } = context
      const rows = (statement: Parameters<typeof db.rows>[1]) => db.rows(binding, statement)
      const rule = isUuid(commissionRuleId) ? await ruleById(rows, binding.tenantId!, commissionRuleId) : null
      if (!rule) return null
      const month = { periodStart: monthFrom(periodStart, 0), periodEnd: monthFrom(periodStart, 1) }
      const all = { tenantId: binding.tenantId!, currency, ...month, userId: null }
      const sales = await readSales(rows, all)
      if (sales.length > mostSales)
        throw queryTooCostly(`There are more than ${mostSales} sales in this month`)
      const users = [...new Set(sales.map(({ userId }) => userId))]
      const lines = users.flatMap((userId) => {
        const own = sales.filter((sale) => sale.userId === userId)
        return commissionLines(own, [rule], userId, currency).filter(({ ruleId: met }) => met !== null)
      })
      const { revenue, commission } = totalsOf(lines)
      return {
        // By which the record of who read it tells what was read.
        id: rule.id,
        sales: lines.filter(({ kind }) => kind === 'SALE').length,
        revenue: money(revenue, currency),
        commission: money(commission, currency),
      }
    },
  },
  Mutation: {
    createCommissionRule: (_, { input }, context) =>
      mutate(context, async (tx) => ({
        commissionRule: requireSound(
          tx,
          await tx.insert(CommissionRule, { ...ruleColumns(tx, input), authorIds: authorsOf(context) }),
        ),
      })),
    updateCommissionRule: (_, { input: { id, expectedVersion, ...changes } }, context) =>
      mutate(context, async (tx) => {
        const { currency, authorIds } = await ruleIn(tx, { id, expectedVersion }, 'DRAFT')
        const columns = ruleColumns(tx, changes as Parameters<typeof ruleColumns>[1], currency)
        const changed = await tx.update(CommissionRule, id, expectedVersion, columns, {
          authorIds: authorsOf(context, authorIds),
        })
        return { commissionRule: requireSound(tx, changed) }
      }),
    deleteCommissionRule: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        await ruleIn(tx, { id, expectedVersion }, 'DRAFT')
        return { commissionRule: await tx.remove(CommissionRule, id, expectedVersion) }
      }),
    reviseCommissionRule: (_, { input }, context) =>
      mutate(context, async (tx) => ({ commissionRule: await reviseRule(context, tx, input) })),
    approveCommissionRule: (_, { input }, context) =>
      mutate(context, async (tx) => ({ commissionRule: await approveRule(context, tx, input) })),
    endCommissionRule: (_, { input }, context) =>
      mutate(context, async (tx) => ({ commissionRule: await endRule(context, tx, input) })),
  },
  CommissionRule: {
    revises: one(CommissionRule, 'revisesId', CommissionRule),
    flatAmount: needs(CommissionRule, ['flatAmount', 'currency'], (row) =>
      money(row.flatAmount, row.currency),
    ),
    tiers: needs(CommissionRule, ['tiers', 'currency'], ({ tiers, currency }) => {
      const ends = lowerEnds(tiers)
      return tiers.map(({ upTo, rate }, place) => ({
        from: money(ends[place]!, currency!),
        upTo: money(upTo, currency),
        rate,
      }))
    }),
    user: needs(CommissionRule, ['userId'], (row) => reference(row.userId)),
    department: needs(CommissionRule, ['departmentId'], (row) => reference(row.departmentId)),
    createdBy: needs(CommissionRule, ['createdById'], (row) => reference(row.createdById)),
    updatedBy: needs(CommissionRule, ['updatedById'], (row) => reference(row.updatedById)),
    approvedBy: needs(CommissionRule, ['approvedById'], (row) => reference(row.approvedById)),
  },
}
