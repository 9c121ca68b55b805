import type { SubgraphContext } from '../../../kernel/context'
import { needs } from '../../../kernel/entity'
import { UserErrors } from '../../../kernel/errors'
import { load, loadBy } from '../../../kernel/load'
import { parseMoney } from '../../../kernel/money'
import { mutate } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { prepared } from '../../../kernel/statement'
import { summary } from '../../../kernel/summary'
import { JournalEntry } from '../entities/JournalEntry'
import { Posting } from '../entities/Posting'
import { Transaction } from '../entities/Transaction'
import type { PostingInput, Resolvers } from '../generated'
import { postEntry, postReversal, type NewPosting } from '../post-entry'
import { dayOf } from '../rules/entry'

const defaultOrder = { property: 'bookedOn', direction: 'DESC' } as const
const dayField = 'bookedOn'
const findReversal =
  'SELECT 1 FROM finance.journal_entries e WHERE e.tenant_id = $1 AND e.reversal_of_id = $2'
const today = (context: SubgraphContext) => dayOf(context.clock.now().toISOString())

export const journalEntry: Resolvers = {
  Query: {
    journalEntry: (_, { id }, context, info) => load(context, JournalEntry, id, info),
    journalEntries: (_, args, context, info) => page(context, JournalEntry, args, info, { defaultOrder }),
    journalEntrySummary: (_, args, context, info) => summary(context, JournalEntry, args, info),
  },
  Mutation: {
    postJournalEntry: (_, { input }, context, info) => {
      const { idempotencyKey, bookedOn, sourceType, sourceId, ...values } = input
      const record = { idempotencyKey, input, info }
      return mutate(
        context,
        async (tx) => {
          const day = bookedOn ?? today(context)
          if (day > today(context)) tx.fail('INVALID', 'bookedOn must not be in the future', 'bookedOn')
          if (!sourceType !== !sourceId)
            tx.fail(
              'INVALID',
              'sourceType and sourceId are given together',
              sourceType ? 'sourceType' : 'sourceId',
            )
          const source = sourceType && sourceId ? { type: sourceType, id: sourceId } : null
          const postings = input.postings.map(posted)
          return {
            journalEntry: await postEntry(context, tx, {
              ...values,
              bookedOn: day,
              source,
              postings,
              dayField,
            }),
          }
        },
        record,
      )
    },
    reverseJournalEntry: (_, { input }, context, info) => {
      const { id, idempotencyKey, bookedOn, description } = input
      const record = { idempotencyKey, input, info }
      return mutate(
        context,
        async (tx) => {
          const day = bookedOn ?? today(context)
          const original = await tx.find(JournalEntry, id)
          if (original.transactionId) tx.fail('NOT_REVERSIBLE', 'It books a transaction: reverse that', 'id')
          if (original.reversalOfId)
            tx.fail('NOT_REVERSIBLE', 'This is a reversal: post a new entry instead', 'id')
          const reversals = await tx.rows(prepared(findReversal, [context.binding.tenantId, original.id]))
          if (reversals.length > 0) tx.fail('NOT_REVERSIBLE', 'This entry is reversed already', 'id')
          if (day > today(context)) tx.fail('INVALID', 'bookedOn must not be in the future', 'bookedOn')
          if (day < original.bookedOn)
            tx.fail('INVALID', `bookedOn must not be before ${original.bookedOn}`, 'bookedOn')
          return {
            reversal: await postReversal(context, tx, original, { bookedOn: day, description, dayField }),
          }
        },
        record,
      )
    },
  },
  JournalEntry: {
    transaction: one(JournalEntry, 'transactionId', Transaction),
    reversalOf: one(JournalEntry, 'reversalOfId', JournalEntry),
    reversedBy: needs(JournalEntry, ['id'], ({ id }, _args, context, info) =>
      loadBy(context, JournalEntry, 'reversalOfId', id, info),
    ),
    postings: needs(JournalEntry, ['id'], ({ id }, args, context, info) =>
      nested(context, Posting, 'entryId', id, args, info, {
        defaultOrder: { property: 'position', direction: 'ASC' },
      }),
    ),
    createdBy: needs(JournalEntry, ['createdById'], ({ createdById }) =>
      createdById ? { id: createdById } : null,
    ),
  },
}

/** A posting as an input says it. */
function posted(input: PostingInput, place: number): NewPosting {
  const { ledgerAccountId: accountId, debit, credit, exchangeRate, memo } = input
  const path = (field: string) => ['postings', String(place), field]
  const refuse = (message: string, field: string): never => {
    throw new UserErrors([{ code: 'INVALID', message, field: path(field) }])
  }
  if (memo && [...memo].length > 500) return refuse('memo must have at most 500 characters', 'memo')
  const side = debit ? 'debit' : 'credit'
  const given = debit ?? credit
  if (!given || (debit && credit)) return refuse('A posting has either debit or credit', side)
  const { minor, currency } = parsed(given, side, path(side))
  if (BigInt(minor) <= 0n) return refuse(`${side} must be more than nothing`, side)
  const amount = debit ? minor : `-${minor}`
  return { accountId, amount, currency, exchangeRate, memo, path: path('ledgerAccountId') }
}

function parsed(amount: { amount: string; currency: string }, field: string, path: string[]) {
  try {
    return parseMoney(amount, field)
  } catch (error) {
    throw error instanceof UserErrors
      ? new UserErrors(error.errors.map((fault) => ({ ...fault, field: path })))
      : error
  }
}
