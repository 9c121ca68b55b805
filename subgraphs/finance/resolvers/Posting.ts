import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { money } from '../../../kernel/money'
import { page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { summary } from '../../../kernel/summary'
import { JournalEntry } from '../entities/JournalEntry'
import { LedgerAccount } from '../entities/LedgerAccount'
import { Posting } from '../entities/Posting'
import type { Resolvers } from '../generated'

const defaultOrder = { property: 'bookedOn', direction: 'DESC' } as const

export const posting: Resolvers = {
  Query: {
    posting: (_, { id }, context, info) => load(context, Posting, id, info),
    postings: (_, args, context, info) => page(context, Posting, args, info, { defaultOrder }),
    postingSummary: (_, args, context, info) => summary(context, Posting, args, info),
  },
  Posting: {
    entry: one(Posting, 'entryId', JournalEntry),
    account: one(Posting, 'accountId', LedgerAccount),
    amount: needs(Posting, ['amount', 'currency'], (row) => money(row.amount, row.currency)),
    debit: needs(Posting, ['amount', 'currency'], ({ amount, currency }) =>
      BigInt(amount) > 0n ? money(amount, currency) : null,
    ),
    credit: needs(Posting, ['amount', 'currency'], ({ amount, currency }) =>
      BigInt(amount) < 0n ? money(amount.slice(1), currency) : null,
    ),
    baseAmount: needs(Posting, ['baseAmount', 'baseCurrency'], (row) =>
      money(row.baseAmount, row.baseCurrency),
    ),
  },
}
