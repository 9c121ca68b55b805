import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { money } from '../../../kernel/money'
import { nested, page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { summary } from '../../../kernel/summary'
import { findInvoice } from '../credit-notes'
import { Allocation } from '../entities/Allocation'
import { Payment } from '../entities/Payment'
import { Refund } from '../entities/Refund'
import type { Resolvers } from '../generated'
import { mutateInEntry } from '../in-entry'
import { creditGroundlessFees } from '../late-fees'
import { partOf, recordMoney, takeBackAllocations, valuesOf } from '../payments'
import { allocated, refunded, reversed, unallocatedOf } from '../rules/payment'
import { balanceOf } from '../rules/invoice'
import { settle } from '../settle-invoice'
import { todayOf } from '../today'
import { requireReason } from '../void-reason'

export const payment: Resolvers = {
  Query: {
    payment: (_, { id }, context, info) => load(context, Payment, id, info),
    payments: (_, args, context, info) => page(context, Payment, args, info),
    paymentSummary: (_, args, context, info) => summary(context, Payment, args, info),
    refund: (_, { id }, context, info) => load(context, Refund, id, info),
    refunds: (_, args, context, info) => page(context, Refund, args, info),
  },
  Mutation: {
    recordPayment: (_, { input }, context, info) => {
      const { idempotencyKey, ...values } = input
      const record = { idempotencyKey, input, info }
      return mutateInEntry(
        context,
        'RECORD_PAYMENT',
        async (tx) => ({ payment: await recordMoney(context, tx, values) }),
        record,
      )
    },
    allocatePayment: (_, { input: { id, expectedVersion, invoiceId, amount } }, context) =>
      mutateInEntry(context, 'ALLOCATE_PAYMENT', async (tx) => {
        const found = await tx.find(Payment, id)
        const invoice = await findInvoice(context, tx, invoiceId)
        if (invoice.status !== 'ISSUED' && invoice.status !== 'PARTLY_PAID')
          tx.fail('INVALID_STATUS', `The invoice is ${invoice.status}: nothing is to be paid`, 'invoiceId')
        if (invoice.currency !== found.currency)
          tx.fail(
            'INVALID',
            `The invoice is in ${invoice.currency}, the payment in ${found.currency}`,
            'invoiceId',
          )
        const money = valuesOf(found)
        const [left, owed] = [unallocatedOf(money), BigInt(balanceOf(invoice))]
        if (left === 0n)
          tx.fail('INVALID_STATUS', `Nothing is left of this payment, which is ${found.status}`, 'id')
        const part = partOf(tx, amount, left < owed ? left : owed, found.currency)
        const next = allocated(money, part, owed)!
        const changed = await tx.update(Payment, id, expectedVersion, { allocated: String(next.allocated) })
        await settle(context, tx, invoice, { paymentId: id, amount: String(part) })
        await creditGroundlessFees(context, tx, invoice.id)
        return { payment: changed }
      }),
    refundPayment: (_, { input }, context) => {
      const { id, expectedVersion, amount, refundedOn, reference } = input
      return mutateInEntry(context, 'REFUND_PAYMENT', async (tx) => {
        const found = await tx.find(Payment, id)
        const money = valuesOf(found)
        const left = unallocatedOf(money)
        if (left === 0n)
          tx.fail('INVALID_STATUS', `Nothing is left of this payment, which is ${found.status}`, 'id')
        const day = refundedOn ?? todayOf(context)
        if (day > todayOf(context) || day < found.receivedOn)
          tx.fail('INVALID', 'refundedOn must be no day before the payment, and none to come', 'refundedOn')
        const part = partOf(tx, amount, left, found.currency)
        const next = refunded(money, part)!
        const changed = await tx.update(Payment, id, expectedVersion, {
          refunded: String(next.refunded),
          status: next.refunded === next.amount ? 'REFUNDED' : 'PARTLY_REFUNDED',
        })
        await tx.insert(Refund, {
          ...{ paymentId: id, currency: found.currency, amount: String(part), refundedOn: day, reference },
        })
        return { payment: changed }
      })
    },
    reversePayment: (_, { input: { id, expectedVersion, reason } }, context) =>
      mutateInEntry(context, 'REVERSE_PAYMENT', async (tx) => {
        const found = await tx.find(Payment, id)
        requireReason(tx, reason)
        if (!reversed(valuesOf(found)))
          tx.fail(
            'INVALID_STATUS',
            `This payment is ${found.status}: only one of which nothing was given back is reversed`,
            'id',
          )
        await takeBackAllocations(context, tx, id)
        const changed = await tx.update(Payment, id, expectedVersion, {
          ...{ status: 'REVERSED', allocated: '0', reverseReason: reason },
          reversedAt: context.clock.now().toISOString(),
        })
        return { payment: changed }
      }),
  },
  Payment: {
    amount: needs(Payment, ['amount', 'currency'], (row) => money(row.amount, row.currency)),
    allocated: needs(Payment, ['allocated', 'currency'], (row) => money(row.allocated, row.currency)),
    refunded: needs(Payment, ['refunded', 'currency'], (row) => money(row.refunded, row.currency)),
    unallocated: needs(Payment, ['unallocated', 'currency'], (row) => money(row.unallocated, row.currency)),
    allocations: needs(Payment, ['id'], ({ id }, args, context, info) =>
      nested(context, Allocation, 'paymentId', id, args, info),
    ),
    refunds: needs(Payment, ['id'], ({ id }, args, context, info) =>
      nested(context, Refund, 'paymentId', id, args, info),
    ),
  },
  Refund: {
    payment: one(Refund, 'paymentId', Payment),
    amount: needs(Refund, ['amount', 'currency'], (row) => money(row.amount, row.currency)),
  },
  Allocation: { payment: one(Allocation, 'paymentId', Payment) },
}
