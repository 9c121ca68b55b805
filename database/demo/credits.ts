import {
  creditNoteNumberOf,
  creditOf,
  type Credit,
  type CreditRequest,
} from '../../subgraphs/tenancy/rules/credit'
import { seededId, seededRandom } from './random'
import { day, dayOf, instant, type DemoSource } from './table'

/** Describes what of an invoice of the story a credit note needs to know. */
interface BilledInvoice {
  lines: readonly {
    id: string
    description: string
    quantity: string
    unit_price: string
    amount: string
    tax_rate: string
  }[]
  invoice: {
    id: string
    status: string
    currency: string
    total: string
    amount_paid: string
    issued_at: string | null
  }
}

interface Story {
  billed: BilledInvoice
  asked: CreditRequest[]
  reason: string
  memo: string | null
  status: string
  /** Days from the invoice to the note. */
  later: number
  settles?: BilledInvoice
}

/** Of a document that is settled in part this is left. */
const balanceOf = ({ invoice }: BilledInvoice): bigint => BigInt(invoice.total) - BigInt(invoice.amount_paid)

function noteOf({ lines, invoice }: BilledInvoice, requests: readonly CreditRequest[]): Credit {
  const credit = creditOf(
    {
      total: invoice.total,
      creditedParts: [],
      lines: lines.map(({ id, description, quantity, unit_price, amount, tax_rate }) => ({
        ...{ id, description, quantity, amount, credited: '0' },
        ...{ unitPrice: unit_price, taxRate: tax_rate },
      })),
    },
    requests,
  )
  if ('message' in credit) throw new Error(`The story of a credit note does not hold: ${credit.message}`)
  return credit
}

/** A service that was paid and not wholly rendered, whose credit settles a part of a later invoice of the same currency. */
function usedStory(invoices: readonly BilledInvoice[]): Story {
  const open = invoices.filter(({ invoice }) => invoice.status === 'PARTLY_PAID').reverse()
  for (const settles of open)
    for (const billed of invoices) {
      const [, second] = billed.lines
      const isPaid = billed.invoice.status === 'PAID' && billed.invoice.currency === settles.invoice.currency
      if (!isPaid || !second) continue
      const asked = [{ invoiceLineId: second.id, quantity: '1' }]
      const isSmall = BigInt(second.amount) < balanceOf(settles) / 2n
      const isEarlier = billed.invoice.issued_at! < settles.invoice.issued_at!
      if (isSmall && isEarlier)
        return {
          ...{ billed, asked, settles, reason: 'ERROR', status: 'APPLIED', later: 9 },
          memo: `${second.description}: less was rendered than billed`,
        }
    }
  throw new Error('No invoice of the story can be credited')
}

function storiesOf(all: readonly BilledInvoice[]): Story[] {
  // Discounts would have to be taken back with what they were given on.
  const invoices = all.filter(({ lines }) => !lines.some(({ amount }) => amount.startsWith('-')))
  const first = usedStory(invoices)
  const paid = invoices.filter((one) => one !== first.billed && one.invoice.status === 'PAID')
  const recent = paid.slice(-12)
  const [mistaken, drafted] = [recent.at(-8)!, recent.at(-5)!]
  const others = recent.filter((one) => one !== mistaken && one !== drafted)
  const goodwill = others.findLast(({ invoice }) => invoice.currency === 'EUR') ?? others[0]!
  const feeOf = ({ lines: [fee] }: BilledInvoice) => fee!
  const third = String(BigInt(feeOf(goodwill).amount) / 3n)
  return [
    first,
    {
      ...{ billed: goodwill, reason: 'GOODWILL', status: 'ISSUED', later: 4 },
      asked: [{ invoiceLineId: feeOf(goodwill).id, amount: third }],
      memo: 'For two days on which exports stood still',
    },
    {
      ...{ billed: mistaken, reason: 'DUPLICATE', status: 'VOID', later: 2, memo: null },
      asked: [{ invoiceLineId: feeOf(mistaken).id }],
    },
    {
      ...{ billed: drafted, reason: 'CANCELLATION', status: 'DRAFT', later: 3, memo: null },
      asked: [{ invoiceLineId: feeOf(drafted).id }],
    },
  ]
}

/**
 * Credit notes of a tenant's story: one that settled a part of another invoice, one of which all is left, one that was a mistake, and a
 * draft; with what they took of invoices, by the invoice's id.
 */
export function creditsOf({ slug }: DemoSource, invoices: readonly BilledInvoice[]) {
  const random = seededRandom(`${slug} tenancy.credit_notes`)
  const stories = storiesOf(invoices)
    .map((story) => ({ ...story, at: Date.parse(story.billed.invoice.issued_at!) + story.later * day }))
    .sort((one, other) => one.at - other.at)
  let numbers = 0
  const credits = stories.map(({ billed, asked, reason, memo, status, at, settles }) => {
    const { lines, parts, ...totals } = noteOf(billed, asked)
    const { currency, id: invoice_id } = billed.invoice
    const id = seededId(random, at)
    const isDraft = status === 'DRAFT'
    // The tenant asked for some of the goodwill in money.
    const refunded = reason === 'GOODWILL' ? String(BigInt(totals.total) / 4n) : '0'
    return {
      note: {
        ...{ id, invoice_id, reason, memo, currency, status, ...totals },
        credit_note_number: isDraft ? null : creditNoteNumberOf(++numbers),
        tax_parts: parts,
        applied: settles ? totals.total : '0',
        refunded,
        issued_at: isDraft ? null : instant(at),
        voided_at: status === 'VOID' ? instant(at + day) : null,
        void_reason: status === 'VOID' ? 'The invoice was right after all' : null,
        created_at: instant(at - day / 24),
      },
      lines: lines.map((line, place) => ({
        ...{ id: seededId(random, at), credit_note_id: id, invoice_line_id: line.invoiceLineId, currency },
        ...{ position: place + 1, description: line.description, quantity: line.quantity },
        ...{ amount: line.amount, tax_rate: line.taxRate, created_at: instant(at - day / 24) },
      })),
      refund: refunded !== '0' && {
        ...{ id: seededId(random, at + 3 * day), payment_id: null, credit_note_id: id, currency },
        ...{ amount: refunded, refunded_on: dayOf(at + 3 * day), reference: `Goodwill ${slug}` },
        created_at: instant(at + 3 * day),
      },
      allocation: settles && {
        ...{
          id: seededId(random, at),
          invoice_id: settles.invoice.id,
          credit_note_id: id,
          payment_id: null,
          currency,
        },
        ...{ amount: totals.total, created_at: instant(at + day) },
      },
    }
  })
  const allocations = credits.flatMap(({ allocation }) => allocation ?? [])
  return {
    notes: credits.map(({ note }) => note),
    lines: credits.flatMap(({ lines }) => lines),
    allocations,
    refunds: credits.flatMap(({ refund }) => refund || []),
    credited: new Map(allocations.map(({ invoice_id, amount }) => [invoice_id, amount])),
  }
}
