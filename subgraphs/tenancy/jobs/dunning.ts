import type { SubgraphContext } from '../../../kernel/context'
import type { Job } from '../../../kernel/jobs'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { findPolicies, stillOwed } from '../dunning'
import { DunningStep } from '../entities/DunningStep'
import { Invoice, type InvoiceParty } from '../entities/Invoice'
import { InvoiceLine } from '../entities/InvoiceLine'
import type { TenancyUserErrorCode } from '../generated'
import { issueDraft } from '../issue-invoice'
import { reminderMail, type RemindedInvoice } from '../mails/reminder'
import { daysBetween, dueLevel, feeOf, feeTaxReason, type DunningPolicy } from '../rules/dunning'
import { todayOf } from '../today'

type Tx = MutationTransaction<TenancyUserErrorCode>

/** An overdue invoice, locked, what is still owed of it, and where to remind of it. */
interface Late {
  id: string
  invoiceNumber: string
  currency: string
  balance: string
  dueDate: string
  feeOfId: string | null
  overdueDays: number
  sentTo: string | null
  seller: InvoiceParty
}

// What was issued before documents named their seller is reminded of by nobody but people, and what had its last step.
// In one order, so that those who do it at once wait for each other and do not block each other.
const lockOverdue = `
  SELECT id, invoice_number, currency, due_date::text, fee_of_id, dunning_paused_days, issued_at, buyer ->> 'email', seller
    FROM tenancy.invoices i
   WHERE i.tenant_id = $1 AND status IN ('ISSUED', 'PARTLY_PAID') AND due_date < $2 AND dunning_paused_at IS NULL
     AND seller IS NOT NULL AND NOT EXISTS (
       SELECT FROM tenancy.dunning_steps d WHERE d.tenant_id = $1 AND d.invoice_id = i.id AND d.is_last)
   ORDER BY id FOR UPDATE`
// Statements of their own, after the locks: they see what was done by whoever had them before.
const findTaken = `
  SELECT invoice_id, max(level), max(overdue_days) FROM tenancy.dunning_steps WHERE tenant_id = $1 AND invoice_id = ANY ($2)
   GROUP BY invoice_id`
const findOwed = `SELECT w.id, w.owed::text FROM (${stillOwed}) w`
const findTenant = 'SELECT COALESCE(legal_name, name), billing_email FROM tenancy.tenants WHERE id = $1'

/**
 * Reminds of what is not paid in time: of each invoice the step that is due by the policy, one for a level however many workers there
 * are, and one mail about all of them. One that cannot be taken keeps none of the others from it and is tried again the next day.
 */
export const dunning: Job = {
  name: 'dunning',
  schedule: { cron: '20 6 * * *', timeZone: 'UTC' },
  async run(context, transaction, _, { signal }) {
    const tx = transaction as Tx
    const { tenantId } = context.binding
    const today = todayOf(context)
    const rows = (await tx.rows(prepared(lockOverdue, [tenantId, today]))) as [
      ...[string, string, string, string],
      ...[string | null, number, string, string | null, InvoiceParty],
    ][]
    if (rows.length === 0) return
    const taken = new Map(
      (await tx.rows(prepared(findTaken, [tenantId, rows.map(([id]) => id)]))).map(([id, level, days]) => [
        String(id),
        { taken: Number(level), overdueAtLast: Number(days) },
      ]),
    )
    const owed = new Map((await tx.rows(prepared(findOwed, [tenantId]))) as [string, string][])
    const policyAt = await findPolicies(context, tx)
    const [[name, address]] = (await tx.rows(prepared(findTenant, [tenantId]))) as [[string, string | null]]
    const letters = new Map<string, RemindedInvoice[]>()
    for (const [id, invoiceNumber, currency, dueDate, feeOfId, paused, issuedAt, former, seller] of rows) {
      signal.throwIfAborted()
      const balance = owed.get(id)
      if (balance === undefined) continue
      const policy = policyAt(issuedAt)
      const overdueDays = daysBetween(dueDate, today) - paused
      const level = dueLevel(policy, { overdueDays, ...(taken.get(id) ?? { taken: 0, overdueAtLast: 0 }) })
      if (level === null) continue
      // An address that is taken away is no way out of reminders.
      const sentTo = address ?? former
      const late = { id, invoiceNumber, currency, balance, dueDate, feeOfId, overdueDays, sentTo, seller }
      const reminded = await takeStep(context, tx, policy, late, level)
      if (reminded && sentTo) letters.set(sentTo, [...(letters.get(sentTo) ?? []), reminded])
    }
    for (const [to, invoices] of letters) tx.mail(reminderMail(to, name, invoices))
  },
}

/** Takes the step of a level, with its fee, or nothing of it: then null. */
async function takeStep(
  context: SubgraphContext,
  tx: Tx,
  policy: DunningPolicy,
  late: Late,
  level: number,
): Promise<RemindedInvoice | null> {
  const { id, invoiceNumber, currency, balance, dueDate, overdueDays, sentTo, seller } = late
  // Nobody pays for a reminder that was sent to nobody.
  const amount = sentTo ? feeOf(policy, level, late) : '0'
  const isLast = late.feeOfId === null && level === policy.levels.length
  try {
    return await tx.savepoint(async () => {
      const fee = amount === '0' ? null : await billFee(context, tx, late, level, amount)
      await tx.insert(DunningStep, {
        ...{ invoiceId: id, level, currency, balance, overdueDays, isLast, sentTo },
        ...{ feeInvoiceId: fee?.id ?? null, takenOn: todayOf(context) },
        createdAt: context.clock.now().toISOString(),
      })
      const billed = fee && { invoiceNumber: fee.invoiceNumber!, amount }
      return { invoiceNumber, seller, dueDate, currency, balance, level, isLast, fee: billed }
    })
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === '40001' || code === '40P01') throw error
    context.log.error({ err: error, invoiceId: id, level }, 'a reminder could not be sent')
    return null
  }
}

/** Bills a fee as an invoice of its own, which is never reminded of for a fee. */
async function billFee(
  context: SubgraphContext,
  tx: Tx,
  { id, invoiceNumber, currency }: Late,
  level: number,
  amount: string,
): Promise<Invoice> {
  const totals = { subtotal: amount, tax: '0', total: amount }
  const drafted = await tx.insert(Invoice, { currency, feeOfId: id, ...totals })
  await tx.insert(InvoiceLine, {
    ...{ invoiceId: drafted.id, currency, position: 1, quantity: '1', unitPrice: amount, amount },
    description: `Late payment of ${invoiceNumber}, reminder ${level}`,
    ...{ taxRate: '0', taxTreatment: 'EXEMPT', taxReason: feeTaxReason },
  })
  return issueDraft(context, tx, drafted, null)
}
