import { feeTaxReason } from '../../subgraphs/tenancy/rules/dunning'
import { seededId, seededRandom } from './random'
import { day, dayOf, instant, type DemoSource } from './table'

/** Describes what of an invoice of the story a reminder needs to know and changes. */
interface LateInvoice {
  lines: {
    id: string
    invoice_id: string
    currency: string
    position: number
    created_at: string
    description: string
    quantity: string
    unit_price: string
    amount: string
    tax_rate: string
    tax_treatment: string
    tax_reason: string | null
  }[]
  invoice: {
    id: string
    invoice_number: string | null
    status: string
    subscription_id: string | null
    currency: string
    subtotal: string
    tax: string
    total: string
    amount_paid: string
    issued_at: string | null
    due_date: string | null
    paid_at: string | null
    voided_at: string | null
    void_reason: string | null
    memo: string | null
    fee_of_id: string | null
    dunning_paused_at: string | null
    dunning_pause_reason: string | null
  }
}

const fee = '1500'
const levels = [
  { days: 3, fee: '0' },
  { days: 14, fee },
  { days: 28, fee: '0' },
]

/** Without anything that came of it. */
const unpaid = {
  ...{ status: 'ISSUED', amount_paid: '0', paid_at: null, voided_at: null, void_reason: null },
}

/**
 * The story of an invoice that was not paid: three reminders, the second with a fee, which is one of the invoices after it; and of
 * another one, which is disputed.
 */
export function dunningOf<B extends LateInvoice>({ slug, profile, today }: DemoSource, billed: readonly B[]) {
  const random = seededRandom(`${slug} tenancy.dunning_steps`)
  const overdueDays = ({ invoice }: B) => (today - Date.parse(invoice.due_date ?? dayOf(today))) / day
  const late = billed.filter((one) => one.invoice.subscription_id !== null && overdueDays(one) >= 36).at(-1)!
  const taken = levels.map((level) => Date.parse(late.invoice.due_date!) + level.days * day)
  const charged = billed.find(
    ({ invoice }) => invoice.issued_at !== null && Date.parse(invoice.issued_at) >= taken[1]!,
  )!
  const disputed = billed.filter((one) => one !== late && overdueDays(one) >= 5).at(-1)!
  const { currency } = late.invoice
  const charge = (one: B): B => ({
    ...one,
    lines: [
      {
        ...one.lines[0]!,
        ...{ currency, quantity: '1', unit_price: fee, amount: fee, tax_rate: '0', tax_treatment: 'EXEMPT' },
        description: `Late payment of ${late.invoice.invoice_number}, reminder 2`,
        tax_reason: feeTaxReason,
      },
    ],
    invoice: {
      ...{ ...one.invoice, ...unpaid, currency, subscription_id: null, memo: null },
      ...{ subtotal: fee, tax: '0', total: fee, fee_of_id: late.invoice.id },
    },
  })
  const pause = (one: B): B => ({
    ...one,
    invoice: {
      ...{ ...one.invoice, ...unpaid },
      dunning_paused_at: instant(Date.parse(one.invoice.due_date!) + 2.4 * day),
      dunning_pause_reason: 'Disputed: the hours of support were agreed as included',
    },
  })
  const invoices = billed.map((one) => {
    if (one === late) return { ...one, invoice: { ...one.invoice, ...unpaid } }
    if (one === charged) return charge(one)
    return one === disputed ? pause(one) : one
  })
  // The second was taken when its fee was billed.
  const times = [
    taken[0]!,
    Date.parse(charged.invoice.issued_at!),
    Math.max(taken[2]!, Date.parse(charged.invoice.issued_at!) + 14 * day),
  ]
  const steps = times
    .map((at, place) => ({
      ...{
        id: seededId(random, at),
        invoice_id: late.invoice.id,
        level: place + 1,
        taken_on: dayOf(at),
        currency,
      },
      overdue_days: Math.floor((at - Date.parse(late.invoice.due_date!)) / day),
      balance: late.invoice.total,
      fee_invoice_id: place === 1 ? charged.invoice.id : null,
      ...{ is_last: place === 2, sent_to: profile.billing.email, created_at: instant(at) },
    }))
    .filter(({ created_at }) => Date.parse(created_at) < today)
  const decided = Date.parse('2024-01-15')
  const policies = [
    { id: seededId(random, decided), revision: 1, currency, levels, created_at: instant(decided) },
  ]
  return { invoices, steps, policies }
}
