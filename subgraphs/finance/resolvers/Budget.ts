import type { SubgraphContext } from '../../../kernel/context'
import { needs } from '../../../kernel/entity'
import { isUuid } from '../../../kernel/id'
import { load } from '../../../kernel/load'
import { money, moneyColumns } from '../../../kernel/money'
import { mutate } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { valueByKey } from '../../../kernel/query'
import { prepared } from '../../../kernel/statement'
import { summary } from '../../../kernel/summary'
import { Budget } from '../entities/Budget'
import type { Resolvers } from '../generated'
import { requireOpenPeriod } from '../open-period'
import { boundsOf, isPeriod, lastDayOf, remainingOf } from '../rules/budget'

const defaultOrder = { property: 'periodStart', direction: 'DESC' } as const
const spending = ['departmentId', 'year', 'month', 'currency'] as const
const findBudget = `
  SELECT id, version FROM finance.budgets
   WHERE tenant_id = $1 AND department_id = $2 AND year = $3 AND month IS NOT DISTINCT FROM $4 AND currency = $5`
// Refunds and reversals are negative, so they give back what was spent.
const sumExpenses = `
  SELECT period.key, sum(t.amount)::text
    FROM unnest($2::text[], $3::uuid[], $4::text[], $5::timestamptz[], $6::timestamptz[])
           AS period (key, department_id, currency, starts_at, ends_at)
    JOIN finance.transactions t
      ON t.tenant_id = $1 AND t.department_id = period.department_id AND t.type = 'EXPENSE'
     AND t.currency = period.currency AND t.occurred_at >= period.starts_at AND t.occurred_at < period.ends_at
   GROUP BY period.key`
const spentInPeriod = valueByKey(sumExpenses, '0', (context, keys) => {
  const columns = [0, 1, 2, 3].map((part) => keys.map((key) => key.split(',')[part]))
  return [context.binding.tenantId, keys, ...columns]
})

export const budget: Resolvers = {
  Query: {
    budget: (_, { id }, context, info) => load(context, Budget, id, info),
    budgets: (_, args, context, info) => page(context, Budget, args, info, { defaultOrder }),
    budgetSummary: (_, args, context, info) => summary(context, Budget, args, info),
  },
  Mutation: {
    setBudget: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const { departmentId, year, month = null, expectedVersion } = input
        if (!isUuid(departmentId)) tx.fail('REFERENCE_NOT_FOUND', 'departmentId is not an id', 'departmentId')
        const { currency } = input.allocated
        if (input.forecastedSpend && input.forecastedSpend.currency !== currency)
          tx.fail('INVALID', `forecastedSpend must be in ${currency}, as allocated is`, 'forecastedSpend')
        const amounts = {
          ...moneyColumns(input.forecastedSpend, 'forecastedSpend', 'currency'),
          ...moneyColumns(input.allocated, 'allocated', 'currency'),
        }
        if (isPeriod({ year, month }))
          await requireOpenPeriod(context, tx, lastDayOf({ year, month }), 'year')
        const key = [context.binding.tenantId, departmentId, year, month, currency]
        const [present] = await tx.rows(prepared(findBudget, key))
        if (!present && typeof expectedVersion === 'number')
          tx.fail('NOT_FOUND', 'This period has no budget yet: leave expectedVersion out', 'expectedVersion')
        if (!present) return { budget: await tx.insert(Budget, { departmentId, year, month, ...amounts }) }
        const [id, version] = present as [string, number]
        if (typeof expectedVersion !== 'number')
          tx.fail(
            'DUPLICATE',
            `This period has a budget at version ${version}: give expectedVersion to change it`,
            'expectedVersion',
          )
        return { budget: await tx.update(Budget, id, Number(expectedVersion), amounts) }
      }),
  },
  Budget: {
    department: needs(Budget, ['departmentId'], ({ departmentId }) => ({ id: departmentId })),
    allocated: needs(Budget, ['allocated', 'currency'], (row) => money(row.allocated, row.currency)),
    forecastedSpend: needs(Budget, ['forecastedSpend', 'currency'], (row) =>
      money(row.forecastedSpend, row.currency),
    ),
    spent: needs(Budget, spending, async (row, _args, context) =>
      money(await spentOf(context, row), row.currency),
    ),
    remaining: needs(Budget, [...spending, 'allocated'], async (row, _args, context) =>
      money(remainingOf(row.allocated, await spentOf(context, row)), row.currency),
    ),
  },
  Department: {
    budgets: ({ id }, args, context, info) =>
      nested(context, Budget, 'departmentId', id, args, info, { defaultOrder }),
  },
}

/** The sum spent of a budget, in the currency's smallest unit: one statement for all budgets of a level. */
function spentOf(
  context: SubgraphContext,
  { departmentId, year, month, currency }: Pick<Budget, (typeof spending)[number]>,
): Promise<string> {
  const { startsAt, endsAt } = boundsOf({ year, month })
  return spentInPeriod(context, [departmentId, currency, startsAt, endsAt].join())
}
