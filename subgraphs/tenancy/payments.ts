import type { SubgraphContext } from '../../kernel/context'
import { money, parseMoney, type Money } from '../../kernel/money'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import { findInvoice } from './credit-notes'
import { Payment, type PaymentMethod } from './entities/Payment'
import type { TenancyUserErrorCode } from './generated'
import { paymentNumberOf, type PaidMoney } from './rules/payment'
import { nextInSeries } from './series'
import { settle } from './settle-invoice'
import { todayOf } from './today'
import { requireCurrentCurrency } from './unit-price'

type Tx = MutationTransaction<TenancyUserErrorCode>

// In one order, so that two who do it at once wait for each other and do not block each other.
const findSettled = `
  SELECT invoice_id, sum(amount)::text FROM tenancy.allocations WHERE tenant_id = $1 AND payment_id = $2
   GROUP BY invoice_id HAVING sum(amount) > 0 ORDER BY invoice_id`

const findOwed = `
  SELECT FROM tenancy.invoices WHERE tenant_id = $1 AND currency = $2 AND status IN ('ISSUED', 'PARTLY_PAID') LIMIT 1`

/** Returns where the money of a stored payment is. */
export function valuesOf({
  amount,
  allocated,
  refunded,
  status,
}: Pick<Payment, 'amount' | 'allocated' | 'refunded' | 'status'>): PaidMoney {
  return {
    ...{ amount: BigInt(amount), allocated: BigInt(allocated), refunded: BigInt(refunded) },
    isReversed: status === 'REVERSED',
  }
}

/**
 * Records money that came, under the next number; fails with INVALID for a day to come.
 * @param allocated what of it settles an invoice at once, in the currency's smallest unit
 */
export async function recordMoney(
  context: SubgraphContext,
  tx: Tx,
  input: {
    amount: Money
    method?: PaymentMethod | null
    receivedOn?: string | null
    reference?: string | null
    payerName?: string | null
  },
  allocated = '0',
): Promise<Payment> {
  const today = todayOf(context)
  const { minor, currency } = parseMoney(input.amount, 'amount')
  if (BigInt(minor) <= 0n) tx.fail('INVALID', 'amount must be more than nothing', 'amount')
  const receivedOn = input.receivedOn ?? today
  // What was billed while the currency was in use can be paid.
  if (allocated === '0' && !(await isOwedIn(context, tx, currency)))
    requireCurrentCurrency(currency, receivedOn, ['amount'])
  if (receivedOn > today) tx.fail('INVALID', 'receivedOn must not be in the future', 'receivedOn')
  const { place, issuedAt } = await nextInSeries(context, tx, 'PAYMENT')
  return tx.insert(Payment, {
    ...{ paymentNumber: paymentNumberOf(place), amount: minor, currency, receivedOn, allocated },
    method: input.method ?? 'BANK_TRANSFER',
    ...{ reference: input.reference ?? null, payerName: input.payerName ?? null },
    // Numbers and times run in one order.
    createdAt: issuedAt,
  })
}

async function isOwedIn(context: SubgraphContext, tx: Tx, currency: string): Promise<boolean> {
  return (await tx.rows(prepared(findOwed, [context.binding.tenantId, currency]))).length > 0
}

/** Returns what an input asks for of what there is most; fails with INVALID for more, for nothing, and for another currency. */
export function partOf(tx: Tx, asked: Money | null | undefined, most: bigint, currency: string): bigint {
  if (!asked) return most
  const parsed = parseMoney(asked, 'amount')
  if (parsed.currency !== currency) tx.fail('INVALID', `amount must be in ${currency}`, 'amount')
  const part = BigInt(parsed.minor)
  if (part <= 0n || part > most)
    tx.fail(
      'INVALID',
      `amount must be more than nothing and at most what is left: ${money(String(most), currency).amount}`,
      'amount',
    )
  return part
}

/** Takes back all that a payment settled: each allocation gets its opposite, and the invoices are to be paid again. */
export async function takeBackAllocations(
  context: SubgraphContext,
  tx: Tx,
  paymentId: string,
): Promise<void> {
  const settled = (await tx.rows(prepared(findSettled, [context.binding.tenantId, paymentId]))) as string[][]
  for (const [invoiceId, amount] of settled) {
    const invoice = await findInvoice(context, tx, invoiceId!)
    await settle(context, tx, invoice, { paymentId, amount: `-${amount}` })
  }
}
