import type { SubgraphContext } from '../../../kernel/context'
import { needs } from '../../../kernel/entity'
import { isUuid } from '../../../kernel/id'
import { load } from '../../../kernel/load'
import { money, parseMoney } from '../../../kernel/money'
import type { MutationTransaction } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { valueByKey } from '../../../kernel/query'
import { one } from '../../../kernel/relation'
import { prepared } from '../../../kernel/statement'
import { summary } from '../../../kernel/summary'
import { Invoice } from '../entities/Invoice'
import { PlanSubscription } from '../entities/PlanSubscription'
import type { Resolvers, TenancyUserErrorCode } from '../generated'
import { mutateInEntry } from '../in-entry'
import { requireNoCredit } from '../credit-notes'
import { issueDraft } from '../issue-invoice'
import { requireReason } from '../void-reason'
import { billAgain } from '../bill-again'
import { addLines, areLines, findDraft, priceLines, readLines, removeLines } from '../invoice-lines'
import { creditGroundlessFees } from '../late-fees'
import { recordMoney } from '../payments'
import { balanceOf, isOverdue } from '../rules/invoice'
import type { LineTax } from '../rules/tax'
import { settle } from '../settle-invoice'
import { requireCurrentCurrency } from '../unit-price'
import { todayOf } from '../today'

const findCurrency = 'SELECT currency FROM tenancy.subscriptions WHERE tenant_id = $1 AND id = $2'

// By treatment, rate and reason (EN 16931-1, BG-23). What is taxed has no reason, so a rate is rounded once.
const taxParts = valueByKey<(LineTax & { net: string; tax: string })[]>(
  `SELECT r.invoice_id, jsonb_agg(jsonb_build_object('taxRate', r.rate::text, 'net', r.net::text,
            'tax', round(r.net * r.rate / 100)::text, 'taxTreatment', r.tax_treatment, 'taxReason', r.tax_reason)
            ORDER BY r.rate, r.tax_treatment, r.tax_reason)
     FROM (SELECT invoice_id, trim_scale(tax_rate) AS rate, tax_treatment, tax_reason, sum(amount) AS net
             FROM tenancy.invoice_lines WHERE tenant_id = $1 AND invoice_id = ANY ($2)
            GROUP BY invoice_id, trim_scale(tax_rate), tax_treatment, tax_reason) r
    GROUP BY r.invoice_id`,
  [],
)

export const invoice: Resolvers = {
  Query: {
    invoice: (_, { id }, context, info) => load(context, Invoice, id, info),
    invoices: (_, args, context, info) => page(context, Invoice, args, info),
    invoiceSummary: (_, args, context, info) => summary(context, Invoice, args, info),
  },
  Mutation: {
    draftInvoice: (_, { input }, context, info) => {
      const { idempotencyKey, lines, ...values } = input
      const record = { idempotencyKey, input, info }
      return mutateInEntry(
        context,
        'DRAFT_INVOICE',
        async (tx) => {
          requireCurrentCurrency(values.currency, todayOf(context), ['currency'])
          await requireSubscriptionCurrency(context, tx, values.subscriptionId, values.currency)
          const priced = priceLines(values.currency, lines)
          const drafted = await tx.insert(Invoice, { ...values, ...priced.totals })
          await addLines(tx, drafted.id, priced.lines)
          return { invoice: drafted }
        },
        record,
      )
    },
    updateInvoice: (_, { input: { id, expectedVersion, lines, ...changes } }, context) =>
      mutateInEntry(context, 'UPDATE_INVOICE', async (tx) => {
        const { currency } = await findDraft(tx, id)
        await requireSubscriptionCurrency(context, tx, changes.subscriptionId, currency)
        if (lines === null) tx.fail('INVALID', 'lines must not be null: omit it to keep them', 'lines')
        if (!lines) return { invoice: await tx.update(Invoice, id, expectedVersion, changes) }
        const priced = priceLines(currency, lines)
        const present = await readLines(context, tx, id)
        if (areLines(present, priced.lines))
          return { invoice: await tx.update(Invoice, id, expectedVersion, changes) }
        // Other lines are a change, whatever they add up to.
        const updatedAt = context.clock.now().toISOString()
        const whole = { ...changes, ...priced.totals, updatedAt }
        const changed = await tx.update(Invoice, id, expectedVersion, whole)
        await removeLines(tx, present)
        await addLines(tx, id, priced.lines)
        return { invoice: changed }
      }),
    issueInvoice: (_, { input: { id, expectedVersion } }, context) =>
      mutateInEntry(context, 'ISSUE_INVOICE', async (tx) => {
        const drafted = await findDraft(tx, id)
        if (drafted.total === '0' && drafted.memo === null)
          tx.fail('INVALID', 'This draft has nothing to be paid: say in its memo why it is issued', 'id')
        return { invoice: await issueDraft(context, tx, drafted, expectedVersion) }
      }),
    payInvoice: (_, { input }, context, info) => {
      const { id, idempotencyKey, amount } = input
      const record = { idempotencyKey, input, info }
      return mutateInEntry(
        context,
        'PAY_INVOICE',
        async (tx) => {
          const found = await tx.find(Invoice, id)
          const { status, currency } = found
          if (status !== 'ISSUED' && status !== 'PARTLY_PAID')
            tx.fail('INVALID_STATUS', `This invoice is ${status}: only issued ones are paid`, 'id')
          const paid = parseMoney(amount, 'amount')
          if (paid.currency !== currency) tx.fail('INVALID', `amount must be in ${currency}`, 'amount')
          const left = balanceOf(found)
          if (BigInt(paid.minor) <= 0n || BigInt(paid.minor) > BigInt(left))
            tx.fail(
              'INVALID',
              `amount must be more than nothing and at most what is left: ${money(left, currency).amount}`,
              'amount',
            )
          const { id: paymentId } = await recordMoney(context, tx, { amount }, paid.minor)
          const settled = await settle(context, tx, found, { paymentId, amount: paid.minor })
          await creditGroundlessFees(context, tx, id)
          return { invoice: settled }
        },
        record,
      )
    },
    voidInvoice: (_, { input: { id, expectedVersion, reason } }, context) =>
      mutateInEntry(context, 'VOID_INVOICE', async (tx) => {
        const found = await tx.find(Invoice, id)
        const { status } = found
        if (status !== 'ISSUED')
          tx.fail(
            'INVALID_STATUS',
            `This invoice is ${status}: only issued and unpaid ones become void`,
            'id',
          )
        await requireNoCredit(context, tx, id)
        requireReason(tx, reason)
        const voided = await tx.update(Invoice, id, expectedVersion, {
          status: 'VOID',
          voidReason: reason,
          voidedAt: context.clock.now().toISOString(),
        })
        await billAgain(context, tx, found)
        await creditGroundlessFees(context, tx, id)
        return { invoice: voided }
      }),
    discardInvoice: (_, { input: { id, expectedVersion } }, context) =>
      mutateInEntry(context, 'DISCARD_INVOICE', async (tx) => {
        await findDraft(tx, id)
        await removeLines(tx, await readLines(context, tx, id))
        return { invoice: await tx.remove(Invoice, id, expectedVersion) }
      }),
  },
  Invoice: {
    subscription: one(Invoice, 'subscriptionId', PlanSubscription),
    feeOf: one(Invoice, 'feeOfId', Invoice),
    subtotal: needs(Invoice, ['subtotal', 'currency'], (row) => money(row.subtotal, row.currency)),
    tax: needs(Invoice, ['tax', 'currency'], (row) => money(row.tax, row.currency)),
    total: needs(Invoice, ['total', 'currency'], (row) => money(row.total, row.currency)),
    amountPaid: needs(Invoice, ['amountPaid', 'currency'], (row) => money(row.amountPaid, row.currency)),
    amountCredited: needs(Invoice, ['amountCredited', 'currency'], (row) =>
      money(row.amountCredited, row.currency),
    ),
    balance: needs(Invoice, ['total', 'amountPaid', 'amountCredited', 'status', 'currency'], (row) =>
      money(balanceOf(row), row.currency),
    ),
    isOverdue: needs(Invoice, ['status', 'dueDate'], (row, _args, context) =>
      isOverdue(row.status, row.dueDate, todayOf(context)),
    ),
    taxBreakdown: needs(Invoice, ['id', 'currency'], async ({ id, currency }, _args, context) =>
      (await taxParts(context, id)).map(({ taxRate, taxTreatment, taxReason, net, tax }) => ({
        ...{ rate: taxRate, treatment: taxTreatment, reason: taxReason },
        net: money(net, currency),
        tax: money(tax, currency),
      })),
    ),
  },
}

/** An invoice for a subscription is in its currency. */
async function requireSubscriptionCurrency(
  context: SubgraphContext,
  tx: MutationTransaction<TenancyUserErrorCode>,
  subscriptionId: string | null | undefined,
  currency: string,
): Promise<void> {
  // An id that is none, or another tenant's, is refused by its reference.
  if (!subscriptionId || !isUuid(subscriptionId)) return
  const [row] = await tx.rows(prepared(findCurrency, [context.binding.tenantId, subscriptionId]))
  if (row && row[0] !== currency)
    tx.fail(
      'INVALID',
      `The subscription is in ${String(row[0])}: so is what is billed for it`,
      'subscriptionId',
    )
}
