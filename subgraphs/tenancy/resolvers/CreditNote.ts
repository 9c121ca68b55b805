import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { money, parseMoney } from '../../../kernel/money'
import { nested, page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { summary } from '../../../kernel/summary'
import {
  creditFor,
  creditOfDraft,
  draftNote,
  findCreditable,
  findDraftNote,
  findInvoice,
  issueNote,
  noteLineIds,
  shown,
} from '../credit-notes'
import { Allocation } from '../entities/Allocation'
import { CreditNote } from '../entities/CreditNote'
import { CreditNoteLine } from '../entities/CreditNoteLine'
import { Invoice } from '../entities/Invoice'
import { InvoiceLine } from '../entities/InvoiceLine'
import { Refund } from '../entities/Refund'
import type { Resolvers } from '../generated'
import { giveBackAgain } from '../give-back'
import { mutateInEntry } from '../in-entry'
import { creditGroundlessFees } from '../late-fees'
import { partOf } from '../payments'
import { balanceOf } from '../rules/invoice'
import { settle } from '../settle-invoice'
import { todayOf } from '../today'
import { requireReason } from '../void-reason'

export const creditNote: Resolvers = {
  Query: {
    creditNote: (_, { id }, context, info) => load(context, CreditNote, id, info),
    creditNotes: (_, args, context, info) => page(context, CreditNote, args, info),
    creditNoteSummary: (_, args, context, info) => summary(context, CreditNote, args, info),
    creditNoteLine: (_, { id }, context, info) => load(context, CreditNoteLine, id, info),
    creditNoteLines: (_, args, context, info) => page(context, CreditNoteLine, args, info),
    allocation: (_, { id }, context, info) => load(context, Allocation, id, info),
    allocations: (_, args, context, info) => page(context, Allocation, args, info),
  },
  Mutation: {
    draftCreditNote: (_, { input }, context, info) => {
      const { idempotencyKey, invoiceId, lines: asked, ...values } = input
      const record = { idempotencyKey, input, info }
      return mutateInEntry(
        context,
        'DRAFT_CREDIT_NOTE',
        async (tx) => {
          const invoice = await findCreditable(context, tx, invoiceId, 'invoiceId')
          return { creditNote: await draftNote(tx, invoice, creditFor(tx, invoice, asked), values) }
        },
        record,
      )
    },
    issueCreditNote: (_, { input: { id, expectedVersion } }, context) =>
      mutateInEntry(context, 'ISSUE_CREDIT_NOTE', async (tx) => {
        const drafted = await findDraftNote(tx, id)
        const credit = await creditOfDraft(context, tx, drafted)
        const issued = await issueNote(context, tx, drafted, expectedVersion, credit)
        await creditGroundlessFees(context, tx, issued.invoiceId)
        return { creditNote: issued }
      }),
    applyCreditNote: (_, { input: { id, expectedVersion, invoiceId, amount } }, context) =>
      mutateInEntry(context, 'APPLY_CREDIT_NOTE', async (tx) => {
        const { status, currency, total, applied, refunded, remaining } = await tx.find(CreditNote, id)
        if (status !== 'ISSUED')
          tx.fail('INVALID_STATUS', `This credit note is ${status}: nothing of it can be used`, 'id')
        const found = await findInvoice(context, tx, invoiceId)
        if (found.status !== 'ISSUED' && found.status !== 'PARTLY_PAID')
          tx.fail('INVALID_STATUS', `The invoice is ${found.status}: nothing is to be paid`, 'invoiceId')
        if (found.currency !== currency)
          tx.fail(
            'INVALID',
            `The invoice is in ${found.currency}, the credit note in ${currency}`,
            'invoiceId',
          )
        const [left, owed] = [BigInt(remaining), BigInt(balanceOf(found))]
        const most = left < owed ? left : owed
        const asked = amount ? parseMoney(amount, 'amount') : { minor: String(most), currency }
        const used = BigInt(asked.minor)
        if (asked.currency !== currency) tx.fail('INVALID', `amount must be in ${currency}`, 'amount')
        if (used <= 0n || used > most)
          tx.fail(
            'INVALID',
            `amount must be more than nothing and at most what is left: ${shown(most, currency)}`,
            'amount',
          )
        const now = BigInt(applied) + used
        const changed = await tx.update(CreditNote, id, expectedVersion, {
          applied: String(now),
          status: now + BigInt(refunded) === BigInt(total) ? 'APPLIED' : 'ISSUED',
        })
        await settle(context, tx, found, { creditNoteId: id, amount: String(used) })
        await creditGroundlessFees(context, tx, found.id)
        return { creditNote: changed }
      }),
    refundCreditNote: (_, { input }, context) => {
      const { id, expectedVersion, amount, refundedOn, reference } = input
      return mutateInEntry(context, 'REFUND_CREDIT_NOTE', async (tx) => {
        const found = await tx.find(CreditNote, id)
        const { status, currency, total, applied, refunded, remaining, issuedAt, invoiceId } = found
        if (status !== 'ISSUED')
          tx.fail('INVALID_STATUS', `This credit note is ${status}: nothing of it can be given back`, 'id')
        const day = refundedOn ?? todayOf(context)
        if (day > todayOf(context) || day < issuedAt!.slice(0, 10))
          tx.fail('INVALID', 'refundedOn must be no day before the issue, and none to come', 'refundedOn')
        // What nobody paid is not paid out: first the note settles what is left to be paid of its own invoice.
        const invoice = await findInvoice(context, tx, invoiceId)
        const [left, owed] = [BigInt(remaining), BigInt(balanceOf(invoice))]
        const settled = left < owed ? left : owed
        const part = partOf(tx, amount, left - settled, currency)
        const [back, used] = [BigInt(refunded) + part, BigInt(applied) + settled]
        const changed = await tx.update(CreditNote, id, expectedVersion, {
          ...{ refunded: String(back), applied: String(used) },
          status: back + used === BigInt(total) ? 'APPLIED' : 'ISSUED',
        })
        if (settled > 0n) await settle(context, tx, invoice, { creditNoteId: id, amount: String(settled) })
        if (part > 0n)
          await tx.insert(Refund, {
            ...{ creditNoteId: id, currency, amount: String(part), refundedOn: day, reference },
          })
        return { creditNote: changed }
      })
    },
    voidCreditNote: (_, { input: { id, expectedVersion, reason } }, context) =>
      mutateInEntry(context, 'VOID_CREDIT_NOTE', async (tx) => {
        const { status, applied, refunded, givesBack } = await tx.find(CreditNote, id)
        if (status !== 'ISSUED' || applied !== '0' || refunded !== '0')
          tx.fail('INVALID_STATUS', 'Only issued credit notes of which nothing was used become void', 'id')
        requireReason(tx, reason)
        const voided = await tx.update(CreditNote, id, expectedVersion, {
          ...{ status: 'VOID', voidReason: reason },
          voidedAt: context.clock.now().toISOString(),
        })
        if (givesBack) await giveBackAgain(context, tx, voided)
        return { creditNote: voided }
      }),
    discardCreditNote: (_, { input: { id, expectedVersion } }, context) =>
      mutateInEntry(context, 'DISCARD_CREDIT_NOTE', async (tx) => {
        await findDraftNote(tx, id)
        await tx.removeAll(CreditNoteLine, await noteLineIds(context, tx, id))
        return { creditNote: await tx.remove(CreditNote, id, expectedVersion) }
      }),
  },
  CreditNote: {
    invoice: one(CreditNote, 'invoiceId', Invoice),
    subtotal: needs(CreditNote, ['subtotal', 'currency'], (row) => money(row.subtotal, row.currency)),
    tax: needs(CreditNote, ['tax', 'currency'], (row) => money(row.tax, row.currency)),
    total: needs(CreditNote, ['total', 'currency'], (row) => money(row.total, row.currency)),
    applied: needs(CreditNote, ['applied', 'currency'], (row) => money(row.applied, row.currency)),
    refunded: needs(CreditNote, ['refunded', 'currency'], (row) => money(row.refunded, row.currency)),
    remaining: needs(CreditNote, ['remaining', 'currency'], (row) => money(row.remaining, row.currency)),
    taxBreakdown: needs(CreditNote, ['taxParts', 'currency'], ({ taxParts, currency }) =>
      taxParts.map(({ rate, treatment = 'STANDARD', reason = null, net, tax }) => ({
        ...{ rate, treatment, reason, net: money(net, currency), tax: money(tax, currency) },
      })),
    ),
    lines: needs(CreditNote, ['id'], ({ id }, args, context, info) =>
      nested(context, CreditNoteLine, 'creditNoteId', id, args, info, {
        defaultOrder: { property: 'position', direction: 'ASC' },
      }),
    ),
    allocations: needs(CreditNote, ['id'], ({ id }, args, context, info) =>
      nested(context, Allocation, 'creditNoteId', id, args, info),
    ),
    refunds: needs(CreditNote, ['id'], ({ id }, args, context, info) =>
      nested(context, Refund, 'creditNoteId', id, args, info),
    ),
  },
  Refund: { creditNote: one(Refund, 'creditNoteId', CreditNote) },
  CreditNoteLine: {
    creditNote: one(CreditNoteLine, 'creditNoteId', CreditNote),
    invoiceLine: one(CreditNoteLine, 'invoiceLineId', InvoiceLine),
    amount: needs(CreditNoteLine, ['amount', 'currency'], (row) => money(row.amount, row.currency)),
  },
  Allocation: {
    invoice: one(Allocation, 'invoiceId', Invoice),
    creditNote: one(Allocation, 'creditNoteId', CreditNote),
    amount: needs(Allocation, ['amount', 'currency'], (row) => money(row.amount, row.currency)),
  },
  Invoice: {
    creditNotes: needs(Invoice, ['id'], ({ id }, args, context, info) =>
      nested(context, CreditNote, 'invoiceId', id, args, info),
    ),
    allocations: needs(Invoice, ['id'], ({ id }, args, context, info) =>
      nested(context, Allocation, 'invoiceId', id, args, info),
    ),
  },
}
