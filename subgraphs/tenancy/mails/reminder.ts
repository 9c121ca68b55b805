import { composeMail, type Mail } from '../../../kernel/mail'
import { money } from '../../../kernel/money'

/** An invoice that a reminder is about. Amounts are in the currency's smallest unit. */
export interface RemindedInvoice {
  invoiceNumber: string
  /** Issuer, and where to ask about it. */
  seller: { name: string; email: string | null }
  dueDate: string
  currency: string
  balance: string
  level: number
  isLast: boolean
  /** The invoice of the fee and how much it is; null without one. */
  fee: { invoiceNumber: string; amount: string } | null
}

const shown = (minor: string, currency: string) => `${money(minor, currency).amount} ${currency}`

const sentenceOf = ({
  invoiceNumber,
  seller,
  dueDate,
  currency,
  balance,
  level,
  isLast,
  fee,
}: RemindedInvoice) =>
  [
    `Invoice ${invoiceNumber} of ${seller.name} was due on ${dueDate}: ${shown(balance, currency)} is still to be paid (reminder ${level}).`,
    ...(fee ? [`For this reminder ${shown(fee.amount, currency)} is billed as ${fee.invoiceNumber}.`] : []),
    ...(isLast ? ['This is the last reminder.'] : []),
  ].join(' ')

/** The mail that reminds a tenant of invoices that are not paid in time, all of them in one. */
export function reminderMail(to: string, tenant: string, invoices: readonly RemindedInvoice[]): Mail {
  const [first, ...others] = invoices
  const addresses = [...new Set(invoices.flatMap(({ seller }) => seller.email ?? []))]
  const more = others.length > 0 ? ` and ${others.length} more` : ''
  return composeMail({
    kind: 'tenancy.reminder',
    to,
    subject: `Payment reminder: invoice ${first!.invoiceNumber}${more} (${tenant})`,
    paragraphs: invoices.map(sentenceOf),
    notes: [
      'If it is paid meanwhile, or you do not agree with an invoice, please write to whoever issued it' +
        `${addresses.length > 0 ? `: ${addresses.join(', ')}` : ''}.`,
    ],
    // One for each level of an invoice at most, by the clock: it holds up nobody and is held up by nothing.
    hasOwnLimit: true,
  })
}
