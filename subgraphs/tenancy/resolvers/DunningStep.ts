import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { money } from '../../../kernel/money'
import { nested, page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { decidePolicy, pauseSteps, resumeSteps, shownLevels } from '../dunning'
import { DunningStep } from '../entities/DunningStep'
import { Invoice } from '../entities/Invoice'
import type { Resolvers } from '../generated'
import { mutateInEntry } from '../in-entry'

export const dunningStep: Resolvers = {
  Query: {
    dunningStep: (_, { id }, context, info) => load(context, DunningStep, id, info),
    dunningSteps: (_, args, context, info) => page(context, DunningStep, args, info),
  },
  Mutation: {
    setDunningLevels: (_, { input: { levels } }, context) =>
      mutateInEntry(context, 'SET_DUNNING_LEVELS', async (tx) => ({
        levels: shownLevels(await decidePolicy(context, tx, levels)),
      })),
    pauseInvoice: (_, { input }, context) =>
      mutateInEntry(context, 'PAUSE_INVOICE', async (tx) => ({
        invoice: await pauseSteps(context, tx, input),
      })),
    resumeInvoice: (_, { input }, context) =>
      mutateInEntry(context, 'RESUME_INVOICE', async (tx) => ({
        invoice: await resumeSteps(context, tx, input),
      })),
  },
  DunningStep: {
    invoice: one(DunningStep, 'invoiceId', Invoice),
    feeInvoice: one(DunningStep, 'feeInvoiceId', Invoice),
    balance: needs(DunningStep, ['balance', 'currency'], (row) => money(row.balance, row.currency)),
  },
  Invoice: {
    dunningSteps: needs(Invoice, ['id'], ({ id }, args, context, info) =>
      nested(context, DunningStep, 'invoiceId', id, args, info),
    ),
  },
}
