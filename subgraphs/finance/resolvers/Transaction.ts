import { needs } from '../../shared/entity'
import { load, loadBy } from '../../shared/load'
import { money, moneyColumns } from '../../shared/money'
import { mutate } from '../../shared/mutate'
import { page } from '../../shared/page'
import { named } from '../../shared/statement'
import { Transaction } from '../entities/Transaction'
import type { Resolvers } from '../generated'
import { reversalFault, reversalOf } from '../rules/reversal'

const defaultOrder = { property: 'occurredAt', direction: 'DESC' } as const
const search = ['transactionNumber', 'category', 'description'] as const
const findReversal = 'SELECT 1 FROM finance.transactions WHERE tenant_id = $1 AND reversal_of_id = $2'

export const transaction: Resolvers = {
  Query: {
    transaction: (_, { id }, context, info) => load(context, Transaction, id, info),
    transactions: (_, args, context, info) =>
      page(context, Transaction, args, info, { defaultOrder, search }),
  },
  Mutation: {
    recordTransaction: (_, { input }, context) => {
      const { idempotencyKey, amount, ...values } = input
      const record = { idempotencyKey, operation: 'recordTransaction', input }
      return mutate(
        context,
        async (tx) => {
          const now = context.clock.now().toISOString()
          const occurredAt = values.occurredAt ?? now
          // Both are ISO 8601 in UTC with milliseconds, so their order as texts is their order in time.
          if (occurredAt > now) tx.fail('INVALID', 'occurredAt must not be in the future', 'occurredAt')
          const posted = { ...values, ...moneyColumns(amount, 'amount', 'currency'), occurredAt }
          return { transaction: await tx.insert(Transaction, posted) }
        },
        record,
      )
    },
    updateTransaction: (_, { input: { id, expectedVersion, ...changes } }, context) =>
      mutate(context, async (tx) => ({
        transaction: await tx.update(Transaction, id, expectedVersion, changes),
      })),
    reverseTransaction: (_, { input }, context) => {
      const { id, idempotencyKey, ...values } = input
      const record = { idempotencyKey, operation: 'reverseTransaction', input }
      return mutate(
        context,
        async (tx) => {
          const original = await tx.find(Transaction, id)
          const reversals = await tx.rows(named(findReversal, [context.binding.tenantId, original.id]))
          const fault = reversalFault(original, reversals.length > 0)
          if (fault) tx.fail('NOT_REVERSIBLE', fault, 'id')
          const opposite = {
            ...values,
            ...reversalOf(original),
            occurredAt: context.clock.now().toISOString(),
          }
          return { reversal: await tx.insert(Transaction, opposite) }
        },
        record,
      )
    },
  },
  Transaction: {
    amount: needs(Transaction, ['amount', 'currency'], (row) => money(row.amount, row.currency)!),
    reversalOf: needs(Transaction, ['reversalOfId'], ({ reversalOfId }, _args, context, info) =>
      load(context, Transaction, reversalOfId, info),
    ),
    reversedBy: needs(Transaction, ['id'], ({ id }, _args, context, info) =>
      loadBy(context, Transaction, 'reversalOfId', id, info),
    ),
  },
}
