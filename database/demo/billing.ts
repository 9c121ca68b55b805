import { amountOf, invoiceNumberOf, totalsOf } from '../../subgraphs/tenancy/rules/invoice'
import { periodOn, type Interval } from '../../subgraphs/tenancy/rules/period'
import { creditsOf } from './credits'
import { dunningOf } from './dunning'
import { demoSeller } from './profiles'
import { paymentsOf } from './payments'
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

/** Returns what a plan allows of meters: a trial refuses more, whoever pays is billed for it. */
function limitsOf(plan: string) {
  const beyond = plan === 'TRIAL' ? 'REFUSE' : 'OVERAGE'
  const calls = { TRIAL: 1_000, STARTER: 20_000, PROFESSIONAL: 50_000 }[plan]
  return {
    ...(calls && { API_CALLS: { limit: String(calls), beyond } }),
    ...(plan === 'TRIAL' && { ACTIVE_USERS: { limit: '5', beyond } }),
    STORAGE_GB: { limit: plan === 'ENTERPRISE' ? '2000' : '200', beyond },
  }
}

const itemOf = (priceId: string, unitAmount: string) => ({
  ...{ priceId, version: 1, meter: null as string | null, quantity: 1, unitAmount },
  ...{ tierMode: null as string | null, tiers: null as { upTo: string | null; unitPrice: string }[] | null },
})

/** Calls beyond the included ones, by tiers. */
const callsOf = (priceId: string) => ({
  ...itemOf(priceId, '0'),
  ...{ meter: 'API_CALLS', tierMode: 'GRADUATED' },
  tiers: [
    { upTo: '50000', unitPrice: '0' },
    { upTo: '500000', unitPrice: '0.06' },
    { upTo: null, unitPrice: '0.03' },
  ],
})

/** A larger plan from a day on. */
const nextOf = (priceId: string, on: string, unitAmount: string) => ({
  ...{ on, plan: 'ENTERPRISE', billingInterval: 'ANNUAL', seats: 400 },
  ...{ features: { singleSignOn: true, support: 'PHONE' }, limits: limitsOf('ENTERPRISE') },
  items: [itemOf(priceId, unitAmount)],
})

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
      // Agreed before there was a price list: a fee of its own, no seats by the piece.
      items: [
        itemOf(seededId(random, began), amount(currency, price)),
        ...(plan === 'PROFESSIONAL' ? [callsOf(seededId(random, began))] : []),
      ],
      // Chosen for the next period.
      next_change:
        isAcme || end ? null : nextOf(seededId(random, began), period.end, amount(currency, 480_000)),
      seats: plan === 'TRIAL' ? 5 : price / 10,
      trial_ends_on: plan === 'TRIAL' ? end : null,
      billed_until: period.end,
      is_settled: end !== null,
      limits: limitsOf(plan),
      cancelled_at: end ? instant(last - 5 * day) : null,
      created_at: instant(began),
    }
  })
}

/** Invoices in the order of issuing, with their lines; the last ones are drafts, and one was not paid in time. */
const invoicesOf = (source: DemoSource) => dunningOf(source, billedOf(source)).invoices

function billedOf(source: DemoSource) {
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
        seller: isDraft ? null : sellerParty,
        buyer: isDraft ? null : buyerOf(source),
        fee_of_id: null as string | null,
        dunning_paused_at: null as string | null,
        dunning_pause_reason: null as string | null,
        void_reason: status === 'VOID' ? 'Sent to the wrong cost centre' : null,
        memo: random.chance(0.3) ? `Purchase order ${random.int(10_000, 99_999)}` : null,
        created_at: written,
      },
    }
  })
}

const { legalName, street, postalCode, city, country, taxId, email } = demoSeller
const sellerParty = { name: legalName, street, postalCode, city, country, vatNumber: taxId, email }

const buyerOf = ({ profile: { name, billing } }: DemoSource) => ({ name, ...billing })

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
      tax_treatment: taxRate === '0' ? 'EXEMPT' : 'STANDARD',
      tax_reason: taxRate === '0' ? 'Vocational training, exempt' : null,
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

/** Days that the demo data has readings of. */
const meteredDays = 60

/**
 * Returns what meters read each evening: calls, fewer on weekends; storage that grows and was cleared once; who worked. One day's
 * calls were counted twice, and support took them back.
 */
function usageOf(source: DemoSource) {
  const { slug, today } = source
  const random = seededRandom(`${slug} tenancy.usage_records`)
  const { id: subscription_id } = subscriptionsOf(source).at(-1)!
  const readings = times(meteredDays, (place) => {
    const evening = today - (meteredDays - place) * day + 0.75 * day
    const isWeekend = [0, 6].includes(new Date(evening).getUTCDay())
    const read = (meter: string, quantity: string, properties: object, key = '') => ({
      id: seededId(random, evening),
      subscription_id,
      meter,
      quantity,
      occurred_at: instant(evening),
      source: 'nightly-metering',
      external_id: `${meter}-${dayOf(evening)}${key}`.toLowerCase(),
      correction_of_id: null as string | null,
      properties,
      recorded_at: instant(evening + 90_000),
    })
    const calls = random.int(200, 900) * (isWeekend ? 1 : 4)
    const cleared = place > 40 ? 55 : 0
    const people = random.int(1, isWeekend ? 2 : 4)
    return [
      read('API_CALLS', String(calls), { node: 'eu-1' }),
      read('STORAGE_GB', `${90 + place * 2 - cleared}.${random.int(0, 9)}`, {}),
      read('STORED_RECORDS', String(40_000 + place * 310), {}),
      ...times(people, (one) => read('ACTIVE_USERS', '1', { subject: `user-${one + 1}` }, `-${one + 1}`)),
    ]
  }).flat()
  const twice = readings.find(({ meter, id }) => meter === 'API_CALLS' && id > readings[200]!.id)!
  const correction = {
    ...twice,
    id: seededId(random, Date.parse(twice.recorded_at) + day / 4),
    quantity: String(-Number(twice.quantity) / 2),
    source: 'support',
    external_id: 'ticket-4711',
    correction_of_id: twice.id,
    properties: { reason: 'One node sent its calls twice', quantity: String(Number(twice.quantity) / 2) },
    recorded_at: instant(Date.parse(twice.recorded_at) + day / 4),
  }
  return [...readings, correction]
}

export const usageRecords: DemoTable = {
  name: 'tenancy.usage_records',
  noun: 'readings of meters',
  rows: usageOf,
}

/** No tax at first, then that of where the tenant is. */
export const taxProfiles: DemoTable = {
  name: 'tenancy.tax_profiles',
  noun: 'taxes of tenants',
  rows: (source) => {
    const { slug } = source
    const random = seededRandom(`${slug} tenancy.tax_profiles`)
    const [taxId, rate] = slug === 'acme' ? ['US-84-1234567', '7.25'] : ['T1234567890123', '10']
    const reason = 'The platform was not registered where the tenant is'
    return [
      { valid_from: '2023-10-31', treatment: 'EXEMPT', rate: '0', tax_id: taxId, reason },
      { valid_from: '2024-01-01', treatment: 'STANDARD', rate, tax_id: taxId, reason: null },
    ].map((row) => {
      const begins = Date.parse(row.valid_from)
      return { id: seededId(random, begins), ...row, created_at: instant(begins) }
    })
  },
}

/** Prices that were agreed, from the beginning of each term on. */
export const agreedItems: DemoTable = {
  name: 'tenancy.agreed_items',
  noun: 'prices that were agreed',
  rows: (source) => {
    const random = seededRandom(`${source.slug} tenancy.agreed_items`)
    return subscriptionsOf(source).map(({ id, start_date, items }) => {
      const since = Date.parse(start_date)
      return { id: seededId(random, since), subscription_id: id, since: instant(since), items }
    })
  },
}

export const subscriptions: DemoTable = {
  name: 'tenancy.subscriptions',
  noun: 'subscriptions',
  rows: subscriptionsOf,
}

export const invoices: DemoTable = {
  name: 'tenancy.invoices',
  noun: 'invoices',
  rows: (source) => {
    const billed = invoicesOf(source)
    const { credited } = creditsOf(source, billed)
    return billed.map(({ invoice }) => ({ ...invoice, amount_credited: credited.get(invoice.id) ?? '0' }))
  },
}

export const invoiceLines: DemoTable = {
  name: 'tenancy.invoice_lines',
  noun: 'lines of invoices',
  rows: (source) => invoicesOf(source).flatMap(({ lines }) => lines),
}

export const creditNotes: DemoTable = {
  name: 'tenancy.credit_notes',
  noun: 'credit notes',
  rows: (source) =>
    creditsOf(source, invoicesOf(source)).notes.map((note) => ({
      ...note,
      seller: note.issued_at ? sellerParty : null,
      buyer: note.issued_at ? buyerOf(source) : null,
    })),
}

export const creditNoteLines: DemoTable = {
  name: 'tenancy.credit_note_lines',
  noun: 'lines of credit notes',
  rows: (source) => creditsOf(source, invoicesOf(source)).lines,
}

export const allocations: DemoTable = {
  name: 'tenancy.allocations',
  noun: 'parts of invoices that are settled',
  rows: (source) => {
    const billed = invoicesOf(source)
    return [...paymentsOf(source, billed).allocations, ...creditsOf(source, billed).allocations]
  },
}

export const payments: DemoTable = {
  name: 'tenancy.payments',
  noun: 'payments',
  rows: (source) => paymentsOf(source, invoicesOf(source)).payments,
}

export const refunds: DemoTable = {
  name: 'tenancy.refunds',
  noun: 'refunds',
  rows: (source) => {
    const billed = invoicesOf(source)
    return [...paymentsOf(source, billed).refunds, ...creditsOf(source, billed).refunds]
  },
}

export const dunningPolicies: DemoTable = {
  name: 'tenancy.dunning_policies',
  noun: 'decisions on late payment',
  rows: (source) => dunningOf(source, billedOf(source)).policies,
}

export const dunningSteps: DemoTable = {
  name: 'tenancy.dunning_steps',
  noun: 'reminders',
  rows: (source) => dunningOf(source, billedOf(source)).steps,
}

/** The next documents continue the numbers. */
export const invoiceSeries: DemoTable = {
  name: 'tenancy.invoice_series',
  noun: 'series of numbers',
  rows: (source) => {
    const billed = invoicesOf(source)
    const row = (series: string, documents: readonly { issued_at: string | null }[]) => {
      const issued = documents.flatMap(({ issued_at }) => issued_at ?? [])
      return { series, last_number: issued.length, last_issued_at: issued.sort().at(-1) }
    }
    return [
      row(
        'INVOICE',
        billed.map(({ invoice }) => invoice),
      ),
      row('CREDIT_NOTE', creditsOf(source, billed).notes),
      row(
        'PAYMENT',
        paymentsOf(source, billed).payments.map(({ created_at }) => ({ issued_at: created_at })),
      ),
    ]
  },
}
