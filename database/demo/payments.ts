import { paymentNumberOf } from '../../subgraphs/tenancy/rules/payment'
import { seededId, seededRandom } from './random'
import { day, dayOf, instant, type DemoSource } from './table'

/** Describes what of an invoice of the story a payment needs to know. */
interface PaidInvoice {
  invoice: {
    id: string
    invoice_number: string | null
    status: string
    currency: string
    total: string
    amount_paid: string
    issued_at: string | null
    paid_at: string | null
  }
}

interface Came {
  invoice: PaidInvoice['invoice']
  at: number
  method: string
  /** Holds what of it settles the invoice. */
  settles: bigint
  /** Holds what was paid beyond that. */
  beyond: bigint
  /** Tells whether what was too much went back. */
  isRefunded: boolean
  isReversed: boolean
}

/** Returns what came for each invoice; twice too much was paid, of which once it went back, and once a direct debit was returned. */
function moneyOf({ slug }: DemoSource, invoices: readonly PaidInvoice[]): Came[] {
  const random = seededRandom(`${slug} tenancy.payments`)
  const paid = invoices.filter(({ invoice }) => invoice.amount_paid !== '0')
  // The last in euros, where there is one, so that it is among the newest.
  const inEuros = paid.map(({ invoice }) => invoice.currency).lastIndexOf('EUR')
  const refunded = inEuros < 0 ? paid.length - 8 : inEuros
  const came = paid.map(({ invoice }, place): Came => {
    const { issued_at, paid_at, amount_paid } = invoice
    const isMore = place === refunded || place === 23
    return {
      invoice,
      at: paid_at ? Date.parse(paid_at) : Date.parse(issued_at!) + day / 2,
      method: random.pick(['BANK_TRANSFER', 'BANK_TRANSFER', 'DIRECT_DEBIT', 'CARD']),
      settles: BigInt(amount_paid),
      beyond: isMore ? BigInt(amount_paid) / 10n + 1n : 0n,
      ...{ isRefunded: place === refunded, isReversed: false },
    }
  })
  const { invoice } = paid.at(-30)!
  const returned: Came = {
    ...{
      invoice,
      at: Date.parse(invoice.issued_at!) + day / 4,
      method: 'DIRECT_DEBIT',
      settles: BigInt(invoice.total),
    },
    ...{ beyond: 0n, isRefunded: false, isReversed: true },
  }
  return [...came, returned].sort((one, other) => one.at - other.at)
}

/** Payments of a tenant's story, what they settled, and what went back. */
export function paymentsOf(source: DemoSource, invoices: readonly PaidInvoice[]) {
  const random = seededRandom(`${source.slug} tenancy.payments, ids`)
  const all = moneyOf(source, invoices).map((came, place) => {
    const { invoice, at, method, settles, beyond, isRefunded, isReversed } = came
    const { currency, id: invoice_id } = invoice
    const id = seededId(random, at)
    const allocation = (amount: bigint, when: number) => ({
      ...{ id: seededId(random, when), invoice_id, payment_id: id, credit_note_id: null, currency },
      ...{ amount: String(amount), created_at: instant(when) },
    })
    return {
      payment: {
        ...{ id, payment_number: paymentNumberOf(place + 1), method, currency },
        status: isReversed ? 'REVERSED' : isRefunded ? 'PARTLY_REFUNDED' : 'SUCCEEDED',
        amount: String(settles + beyond),
        allocated: isReversed ? '0' : String(settles),
        refunded: isRefunded ? String(beyond) : '0',
        received_on: dayOf(at),
        reference: invoice.invoice_number,
        payer_name: source.profile.name,
        reversed_at: isReversed ? instant(at + day / 8) : null,
        reverse_reason: isReversed ? 'Returned by the bank: account closed' : null,
        created_at: instant(at),
      },
      allocations: [allocation(settles, at), ...(isReversed ? [allocation(-settles, at + day / 8)] : [])],
      refunds: isRefunded
        ? [
            {
              ...{ id: seededId(random, at + day), payment_id: id, credit_note_id: null, currency },
              amount: String(beyond),
              ...{ refunded_on: dayOf(at + day), reference: `Refund ${invoice.invoice_number}` },
              created_at: instant(at + day),
            },
          ]
        : [],
    }
  })
  return {
    payments: all.map(({ payment }) => payment),
    allocations: all.flatMap(({ allocations }) => allocations),
    refunds: all.flatMap(({ refunds }) => refunds),
  }
}
