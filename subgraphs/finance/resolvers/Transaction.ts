import type { SubgraphContext } from '../../../kernel/context'
import { needs } from '../../../kernel/entity'
import { load, loadBy } from '../../../kernel/load'
import { money, moneyColumns } from '../../../kernel/money'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { prepared } from '../../../kernel/statement'
import { summary } from '../../../kernel/summary'
import { bookReversal, bookTransaction } from '../book-transaction'
import { JournalEntry } from '../entities/JournalEntry'
import { Transaction } from '../entities/Transaction'
import type { Resolvers } from '../generated'
import { requireOpenPeriod } from '../open-period'
import { dayOf } from '../rules/entry'
import { refilingFault, reversalFault, reversalOf } from '../rules/reversal'

const defaultOrder = { property: 'occurredAt', direction: 'DESC' } as const
const findReversal = 'SELECT 1 FROM finance.transactions WHERE tenant_id = $1 AND reversal_of_id = $2'

const findPaid = 'SELECT 1 FROM finance.sales_performances p WHERE p.tenant_id = $1 AND p.transaction_id = $2'

export const transaction: Resolvers = {
  Query: {
    transaction: (_, { id }, context, info) => load(context, Transaction, id, info),
    transactions: (_, args, context, info) => page(context, Transaction, args, info, { defaultOrder }),
    transactionSummary: (_, args, context, info) => summary(context, Transaction, args, info),
  },
  Mutation: {
    recordTransaction: (_, { input }, context, info) => {
      const { idempotencyKey, amount, ledgerAccountId, ...values } = input
      const record = { idempotencyKey, input, info }
      return mutate(
        context,
        async (tx) => {
          const now = context.clock.now().toISOString()
          const occurredAt = values.occurredAt ?? now
          // Both are ISO 8601 in UTC with milliseconds, so their order as texts is their order in time.
          if (occurredAt > now) tx.fail('INVALID', 'occurredAt must not be in the future', 'occurredAt')
          const posted = { ...values, ...moneyColumns(amount, 'amount', 'currency'), occurredAt }
          await requireOpenPeriod(context, tx, dayOf(occurredAt), 'occurredAt')
          const recorded = await tx.insert(Transaction, posted)
          await bookTransaction(context, tx, recorded, ledgerAccountId)
          return { transaction: recorded }
        },
        record,
      )
    },
    updateTransaction: (_, { input: { id, expectedVersion, ...changes } }, context) =>
      mutate(context, async (tx) => {
        if (changes.category !== undefined || changes.departmentId !== undefined) {
          const { transaction: filed, isReversed } = await findWithReversal(context, tx, id)
          const fault = refilingFault(filed, isReversed)
          if (fault) tx.fail('REVERSED', fault, 'id')
          await requireOpenPeriod(context, tx, dayOf(filed.occurredAt), 'id')
        }
        return { transaction: await tx.update(Transaction, id, expectedVersion, changes) }
      }),
    flagTransaction: (_, { input: { id, expectedVersion, ...judgement } }, context) =>
      mutate(context, async (tx) => ({
        transaction: await tx.update(Transaction, id, expectedVersion, judgement),
      })),
    reverseTransaction: (_, { input }, context, info) => {
      const { id, idempotencyKey, ...values } = input
      const record = { idempotencyKey, input, info }
      return mutate(
        context,
        async (tx) => {
          const { transaction: original, isReversed } = await findWithReversal(context, tx, id)
          const fault = reversalFault(original, isReversed)
          if (fault) tx.fail('NOT_REVERSIBLE', fault, 'id')
          const paid = await tx.rows(prepared(findPaid, [context.binding.tenantId, original.id]))
          if (paid.length > 0)
            tx.fail(
              'NOT_REVERSIBLE',
              'It pays commission: what was too much is taken back with the next month',
              'id',
            )
          const opposite = {
            ...values,
            ...reversalOf(original),
            occurredAt: context.clock.now().toISOString(),
          }
          const reversal = await tx.insert(Transaction, opposite)
          await bookReversal(context, tx, reversal)
          return { reversal }
        },
        record,
      )
    },
  },
  Transaction: {
    department: needs(Transaction, ['departmentId'], ({ departmentId }) =>
      departmentId ? { id: departmentId } : null,
    ),
    amount: needs(Transaction, ['amount', 'currency'], (row) => money(row.amount, row.currency)!),
    reversalOf: one(Transaction, 'reversalOfId', Transaction),
    reversedBy: needs(Transaction, ['id'], ({ id }, _args, context, info) =>
      loadBy(context, Transaction, 'reversalOfId', id, info),
    ),
    journalEntry: needs(Transaction, ['id'], ({ id }, _args, context, info) =>
      loadBy(context, JournalEntry, 'transactionId', id, info),
    ),
  },
}

/** The transaction, locked, and whether one reverses it; fails with NOT_FOUND. */
async function findWithReversal(
  context: SubgraphContext,
  tx: MutationTransaction,
  id: string,
): Promise<{ transaction: Transaction; isReversed: boolean }> {
  const found = await tx.find(Transaction, id)
  const reversals = await tx.rows(prepared(findReversal, [context.binding.tenantId, found.id]))
  return { transaction: found, isReversed: reversals.length > 0 }
}
