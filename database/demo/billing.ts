import { amountOf, invoiceNumberOf, totalsOf } from '../../subgraphs/tenancy/rules/invoice'
import { periodOn, type Interval } from '../../subgraphs/tenancy/rules/period'
import { seededId, seededRandom, type Random } from './random'
import { amount, day, dayOf, instant, times, type DemoSource, type DemoTable } from './table'

const invoicesPerTenant = 220
/** Invoices follow each other at this distance, in milliseconds. */
const step = 2.5 * day

/** Holds what is billed: description, usual price in dollars, the most of it, and whether by parts. */
const services = [
  ['Additional seats', 25, 40, false],
  ['Support, hours', 140, 12, true],
  ['Data storage, GB', 0.5, 900, false],
  ['Training, days', 1_200, 3, true],
] as const

/** A trial, a smaller plan, and the present one: the last begins on a day that not every month has. */
function subscriptionsOf({ slug, profile, today }: DemoSource) {
  const random = seededRandom(`${slug} tenancy.subscriptions`)
  const [currency] = profile.currencies as readonly [DemoSource['profile']['currencies'][number]]
  const isAcme = slug === 'acme'
  const present = isAcme ? '2024-02-29' : '2024-08-31'
  const terms: { plan: string; interval: Interval; price: number; start: string; end: string | null }[] = [
    { plan: 'TRIAL', interval: 'MONTHLY', price: 0, start: '2023-10-31', end: '2023-11-30' },
    { plan: 'STARTER', interval: 'MONTHLY', price: 490, start: '2023-11-30', end: present },
    isAcme
      ? { plan: profile.plan, interval: 'ANNUAL', price: 48_000, start: present, end: null }
      : { plan: profile.plan, interval: 'MONTHLY', price: 1_900, start: present, end: null },
  ]
  return terms.map(({ plan, interval, price, start, end }) => {
    const began = Date.parse(start)
    const last = end ? Date.parse(end) : today
    const period = periodOn(start, interval, dayOf(end ? last - day : last))
    return {
      id: seededId(random, began),
      plan,
      status: end ? 'CANCELLED' : 'ACTIVE',
      start_date: start,
      end_date: end,
      billing_interval: interval,
      current_period_start: period.start,
      current_period_end: period.end,
      price: amount(currency, price),
      currency: currency.code,
      features: { seats: price / 10, singleSignOn: plan === 'ENTERPRISE' },
      items: plan === 'TRIAL' ? [] : [{ name: 'Additional seats', quantity: 5 }],
      cancelled_at: end ? instant(last - 5 * day) : null,
      created_at: instant(began),
    }
  })
}

/** An invoice in the order of issuing, with its lines; the last ones are drafts. */
function invoicesOf(source: DemoSource) {
  const { slug, profile, today } = source
  const random = seededRandom(`${slug} tenancy.invoices`)
  const present = subscriptionsOf(source).at(-1)!
  return times(invoicesPerTenant, (place) => {
    const issued = today - (invoicesPerTenant - place) * step + random.int(0, step - day)
    const currency = random.pick(profile.currencies)
    const written = instant(issued - random.int(1, day / 2))
    const id = seededId(random, Date.parse(written))
    const lines = linesOf(source, random, currency).map((line, at) => ({
      ...line,
      id: seededId(random, Date.parse(written)),
      invoice_id: id,
      currency: currency.code,
      position: at + 1,
      created_at: written,
    }))
    const totals = totalsOf(lines.map((line) => ({ amount: line.amount, taxRate: line.tax_rate })))
    const status = statusOf(place, random)
    const isDraft = status === 'DRAFT'
    const half = String(BigInt(totals.total) / 2n)
    const settled = instant(Math.min(issued + random.int(1, 30) * day, today - 1))
    const isCurrent = currency.code === present.currency && issued > Date.parse(present.start_date)
    return {
      lines,
      invoice: {
        id,
        invoice_number: isDraft ? null : invoiceNumberOf(place + 1),
        status,
        subscription_id: isCurrent ? present.id : null,
        ...totals,
        amount_paid: status === 'PAID' ? totals.total : status === 'PARTLY_PAID' ? half : '0',
        currency: currency.code,
        issued_at: isDraft ? null : instant(issued),
        due_date: isDraft ? null : dayOf(issued + 30 * day),
        paid_at: status === 'PAID' ? settled : null,
        voided_at: status === 'VOID' ? settled : null,
        void_reason: status === 'VOID' ? 'Sent to the wrong cost centre' : null,
        memo: random.chance(0.3) ? `Purchase order ${random.int(10_000, 99_999)}` : null,
        created_at: written,
      },
    }
  })
}

/** Old ones are paid as a rule, the newest are drafts. */
function statusOf(place: number, random: Random): string {
  const left = invoicesPerTenant - place
  if (left <= 6) return 'DRAFT'
  if (place % 29 === 11) return 'VOID'
  if (place % 31 === 5) return 'PARTLY_PAID'
  return left > 20 ? 'PAID' : random.pick(['ISSUED', 'ISSUED', 'PARTLY_PAID', 'PAID'])
}

function linesOf({ slug }: DemoSource, random: Random, currency: Parameters<typeof amount>[0]) {
  const rates = slug === 'acme' ? ['0', '7.25', '19'] : ['10', '8', '0']
  const line = (description: string, quantity: string, units: number, taxRate: string) => {
    const unitPrice = amount(currency, units)
    return {
      description,
      quantity,
      unit_price: unitPrice,
      amount: amountOf({ quantity, unitPrice }),
      tax_rate: taxRate,
    }
  }
  const fee = line('Platform fee', '1', random.int(40, 200) * 10, rates[2]!)
  const services = times(random.int(0, 3), () => someService(random)).map(({ name, price, quantity }) =>
    line(name, quantity, price, random.pick(rates)),
  )
  const discount = random.chance(0.2)
    ? [line('Loyalty discount', '1', -random.int(5, 30) * 10, rates[2]!)]
    : []
  return [fee, ...services, ...discount]
}

function someService(random: Random): { name: string; price: number; quantity: string } {
  const [name, price, most, isPartial] = random.pick(services)
  const whole = random.int(1, most)
  return { name, price, quantity: isPartial && random.chance(0.5) ? `${whole}.25` : String(whole) }
}

export const subscriptions: DemoTable = {
  name: 'tenancy.subscriptions',
  noun: 'subscriptions',
  rows: subscriptionsOf,
}

export const invoices: DemoTable = {
  name: 'tenancy.invoices',
  noun: 'invoices',
  rows: (source) => invoicesOf(source).map(({ invoice }) => invoice),
}

export const invoiceLines: DemoTable = {
  name: 'tenancy.invoice_lines',
  noun: 'lines of invoices',
  rows: (source) => invoicesOf(source).flatMap(({ lines }) => lines),
}

/** The next invoice continues the numbers. */
export const invoiceSeries: DemoTable = {
  name: 'tenancy.invoice_series',
  noun: 'series of numbers',
  rows: (source) => [
    {
      series: 'INVOICE',
      last_number: invoicesOf(source).filter(({ invoice }) => invoice.invoice_number).length,
    },
  ],
}
