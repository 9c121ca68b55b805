import fc from 'fast-check'
import { dunning } from '../../subgraphs/tenancy/jobs/dunning'
import { dayAfter, periodStart } from '../../subgraphs/tenancy/rules/period'
import { change } from '../support/lists'
import { operatorIn } from '../support/operator'
import { billingOf, startBilling, type Subscriber } from './billed'

/** Issue 16: a year of a tenant's life, whatever happens in it, by the clock of a sandbox; every document is looked at. */
let started: Awaited<ReturnType<typeof startBilling>>

beforeAll(async () => {
  started = await startBilling()
  started.graph.clock.stop()
})
afterAll(() => started?.graph.close())

const { subscriber, bill, travel, preview, act, record, correct, todayOf } = billingOf(() => started)

interface Amount {
  amount: string
}
interface Party {
  name: string
}
interface Line {
  id: string
  description: string
  quantity: string
  unitPrice: Amount
  amount: Amount
  taxRate: string
  serviceStart: string | null
  serviceEnd: string | null
}
interface Document {
  id: string
  version: number
  status: string
  subtotal: Amount
  tax: Amount
  total: Amount
  issuedAt: string
  seller: Party
  buyer: Party
}
interface Invoice extends Document {
  invoiceNumber: string
  dueDate: string
  feeOf: { id: string } | null
  amountPaid: Amount
  amountCredited: Amount
  balance: Amount
  taxBreakdown: { rate: string; net: Amount; tax: Amount }[]
  lines: { nodes: Line[] }
  allocations: { nodes: { amount: Amount; payment: { id: string } | null }[] }
}
interface Note extends Document {
  creditNoteNumber: string
  applied: Amount
  refunded: Amount
  remaining: Amount
  invoice: { id: string }
  lines: { nodes: { amount: Amount; invoiceLine: { id: string } }[] }
}
interface Payment {
  id: string
  version: number
  paymentNumber: string
  amount: Amount
  allocated: Amount
  refunded: Amount
  unallocated: Amount
  status: string
}
interface Books {
  invoices: { nodes: Invoice[] }
  creditNotes: { nodes: Note[] }
  payments: { nodes: Payment[] }
}

const said =
  'id version status subtotal { amount } tax { amount } total { amount } issuedAt seller { name } buyer { name }'
const whole = `{
  invoices(first: 50, orderBy: { field: INVOICE_NUMBER, direction: ASC }) { nodes { ${said} invoiceNumber dueDate feeOf { id }
    amountPaid { amount } amountCredited { amount } balance { amount } taxBreakdown { rate net { amount } tax { amount } }
    lines(first: 20) { nodes { id description quantity unitPrice { amount } amount { amount } taxRate serviceStart serviceEnd } }
    allocations(first: 20) { nodes { amount { amount } payment { id } } } } }
  creditNotes(first: 50, orderBy: { field: CREDIT_NOTE_NUMBER, direction: ASC }) { nodes { ${said} creditNoteNumber
    applied { amount } refunded { amount } remaining { amount } invoice { id }
    lines(first: 20) { nodes { amount { amount } invoiceLine { id } } } } }
  payments(first: 50, orderBy: { field: PAYMENT_NUMBER, direction: ASC }) { nodes { id version paymentNumber status
    amount { amount } allocated { amount } refunded { amount } unallocated { amount } } }
}`
const booksOf = ({ admin }: Subscriber) => admin.data<Books>(whole)

const sum = (amounts: readonly bigint[]) => amounts.reduce((total, one) => total + one, 0n)
/** An exact decimal as a whole number of so many places. */
const scaled = (text: string, places: number): bigint => {
  const [units = '0', fraction = ''] = text.replace('-', '').split('.')
  const value = BigInt(units + fraction.padEnd(places, '0'))
  return text.startsWith('-') ? -value : value
}
const cents = ({ amount }: Amount) => scaled(amount, 2)
/** Divided and rounded, halves away from zero. */
const rounded = (value: bigint, by: bigint) =>
  value < 0n ? -((-value * 2n + by) / (2n * by)) : (value * 2n + by) / (2n * by)
const numbered = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, place) => `${prefix}-${String(place + 1).padStart(6, '0')}`)

/** Looks at everything that documents say, by arithmetic of its own. */
function checkBooks({ invoices, creditNotes, payments }: Books, startDate: string): void {
  const documents = invoices.nodes
  expect(documents.map(({ invoiceNumber }) => invoiceNumber)).toEqual(numbered('INV', documents.length))
  expect(creditNotes.nodes.map(({ creditNoteNumber }) => creditNoteNumber)).toEqual(
    numbered('CN', creditNotes.nodes.length),
  )
  expect(payments.nodes.map(({ paymentNumber }) => paymentNumber)).toEqual(
    numbered('PAY', payments.nodes.length),
  )
  for (const list of [documents, creditNotes.nodes]) {
    const times = list.map(({ issuedAt }) => issuedAt)
    expect(times).toEqual([...times].sort())
  }
  for (const one of documents) {
    const lines = one.lines.nodes
    const nets = new Map<string, bigint>()
    for (const { quantity, unitPrice, amount, taxRate } of lines) {
      const price = scaled(quantity, 4) * scaled(unitPrice.amount, 14)
      expect(cents(amount)).toBe(rounded(price, 10n ** 16n))
      nets.set(taxRate, (nets.get(taxRate) ?? 0n) + cents(amount))
    }
    const taxes = [...nets].map(([rate, net]) => rounded(net * scaled(rate, 4), 1_000_000n))
    expect([cents(one.subtotal), cents(one.tax)]).toEqual([sum([...nets.values()]), sum(taxes)])
    expect(cents(one.total)).toBe(cents(one.subtotal) + cents(one.tax))
    expect(sum(one.taxBreakdown.map(({ tax }) => cents(tax)))).toBe(cents(one.tax))
    expect(one.dueDate).toBe(dayAfter(one.issuedAt.slice(0, 10), 30))
    expect([one.seller.name, one.buyer.name]).toEqual(['Test Cloud GmbH', 'Year GmbH'])
    const settled = (isPaid: boolean) =>
      sum(
        one.allocations.nodes
          .filter(({ payment }) => (payment !== null) === isPaid)
          .map(({ amount }) => cents(amount)),
      )
    expect([settled(true), settled(false)]).toEqual([cents(one.amountPaid), cents(one.amountCredited)])
    expect(cents(one.balance)).toBe(cents(one.total) - cents(one.amountPaid) - cents(one.amountCredited))
    expect(cents(one.balance)).toBeGreaterThanOrEqual(0n)
    const notes = creditNotes.nodes.filter(({ invoice }) => invoice.id === one.id)
    expect(sum(notes.map(({ total }) => cents(total)))).toBeLessThanOrEqual(cents(one.total))
    for (const line of lines) {
      const credited = notes
        .flatMap((note) => note.lines.nodes)
        .filter(({ invoiceLine }) => invoiceLine.id === line.id)
      // Of what gave something back less than nothing is credited.
      const sign = cents(line.amount) < 0n ? -1n : 1n
      const part = sign * sum(credited.map(({ amount }) => cents(amount)))
      expect(part >= 0n && part <= sign * cents(line.amount)).toBe(true)
    }
  }
  for (const note of creditNotes.nodes)
    expect(cents(note.total)).toBe(cents(note.applied) + cents(note.refunded) + cents(note.remaining))
  for (const { amount, allocated, refunded, unallocated, status } of payments.nodes)
    expect(cents(allocated) + cents(refunded) + cents(unallocated)).toBe(
      status === 'REVERSED' ? 0n : cents(amount),
    )
  // Fees are billed for each day once.
  const periods = documents
    .flatMap(({ lines }) => lines.nodes)
    .filter(({ description }) => description.endsWith(', fee'))
    .map(({ serviceStart, serviceEnd }) => [serviceStart, serviceEnd])
    .sort()
  expect(periods).toEqual(
    periods.map((_, month) => [
      periodStart(startDate, 'MONTHLY', month),
      periodStart(startDate, 'MONTHLY', month + 1),
    ]),
  )
}

/** Everything that never changes of what was issued. */
const kept = ({ invoices, creditNotes }: Books) =>
  [...invoices.nodes, ...creditNotes.nodes].map(
    ({ id, subtotal, tax, total, issuedAt, seller, buyer, lines }) =>
      [id, JSON.stringify({ subtotal, tax, total, issuedAt, seller, buyer, lines })] as const,
  )

type Happening =
  'change' | 'use' | 'correct' | 'pay' | 'part' | 'credit' | 'apply' | 'reverse' | 'refund' | 'nothing'
const happenings: readonly Happening[] = [
  ...([
    'change',
    'use',
    'correct',
    'pay',
    'part',
    'credit',
    'apply',
    'reverse',
    'refund',
    'nothing',
  ] as const),
]

/** Makes one thing happen, if what it needs is there. */
async function happen(one: Subscriber, what: Happening, chance: number, readings: string[]): Promise<void> {
  const operator = await operatorIn(started.graph, one.tenant)
  const { invoices, creditNotes, payments } = await booksOf(one)
  const open = invoices.nodes.find(({ status }) => status === 'ISSUED' || status === 'PARTLY_PAID')
  const euros = (minor: bigint) => ({
    amount: `${minor / 100n}.${String(minor % 100n).padStart(2, '0')}`,
    currency: 'EUR',
  })
  const pay = (id: string, minor: bigint) =>
    change(operator, 'payInvoice', { id, amount: euros(minor) }, 'invoice { id }')
  if (what === 'change') {
    const plan = ['STARTER', 'PROFESSIONAL', 'ENTERPRISE'][chance % 3]!
    await act(one, 'changeSubscriptionPlan', { plan, seats: 1 + (chance % 7) })
  }
  if (what === 'use') readings.push(await record(one, String(10_000 + chance * 900)))
  if (what === 'correct' && readings.length > 0) await correct(one, readings.pop()!, '5000')
  if (what === 'pay' && open) await pay(open.id, cents(open.balance))
  if (what === 'part' && open && cents(open.balance) > 1n) await pay(open.id, cents(open.balance) / 2n)
  if (what === 'credit') {
    const of = invoices.nodes
      .filter(({ lines, feeOf }) => !feeOf && lines.nodes.every(({ amount }) => cents(amount) > 1n))
      .at(-1)
    const isCredited = creditNotes.nodes.some(({ invoice }) => invoice.id === of?.id)
    if (!of || isCredited) return
    const { id, amount } = of.lines.nodes[0]!
    const lines = [{ invoiceLineId: id, amount: euros(cents(amount) / 3n + 1n).amount }]
    const input = { invoiceId: of.id, reason: 'GOODWILL', lines }
    const note = await change<Document>(operator, 'draftCreditNote', input, 'creditNote { id version }')
    await change(
      operator,
      'issueCreditNote',
      { id: note.id, expectedVersion: note.version },
      'creditNote { id }',
    )
  }
  const note = creditNotes.nodes.find(({ remaining }) => cents(remaining) > 0n)
  const keyOf = ({ id, version }: { id: string; version: number }) => ({ id, expectedVersion: version })
  if (what === 'apply' && note && open)
    await change(operator, 'applyCreditNote', { ...keyOf(note), invoiceId: open.id }, 'creditNote { id }')
  if (what === 'refund' && note) await change(operator, 'refundCreditNote', keyOf(note), 'creditNote { id }')
  const paid = payments.nodes.find(({ status }) => status === 'SUCCEEDED')
  if (what === 'reverse' && paid)
    await change(operator, 'reversePayment', { ...keyOf(paid), reason: 'Returned' }, 'payment { id }')
}

const month = fc.array(
  fc.record({
    days: fc.integer({ min: 0, max: 12 }),
    what: fc.constantFrom(...happenings),
    chance: fc.integer({ min: 0, max: 99 }),
  }),
  { maxLength: 3 },
)

test('whatever happens in a year, each document adds up, follows the one before and stays as it was issued', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(month, { minLength: 12, maxLength: 12 }), async (year) => {
      const one = await subscriber({ seats: 1 }, { rate: '19' })
      const { tenant } = await one.admin.data<{ tenant: { version: number } }>('{ tenant { version } }')
      await change(
        one.admin,
        'updateTenant',
        { expectedVersion: tenant.version, legalName: 'Year GmbH', billingEmail: 'bills@year.example' },
        'tenant { id }',
      )
      const operator = await operatorIn(started.graph, one.tenant)
      const fee = { amount: '7.50', currency: 'EUR' }
      await change(
        operator,
        'setDunningLevels',
        { levels: [{ days: 5 }, { days: 20, fee }] },
        'levels { days }',
      )
      const readings: string[] = []
      const before = new Map<string, string>()
      for (const [number, events] of year.entries()) {
        await travel(one, periodStart(one.startDate, 'MONTHLY', number))
        const shown = await preview(one)
        const known = (await booksOf(one)).invoices.nodes.length
        expect(await bill(one)).toBeNull()
        const fresh = (await booksOf(one)).invoices.nodes.slice(known)
        // What changes gave back may be more than a month costs: then there is none, and it waits.
        if (fresh.length > 0)
          expect(fresh).toMatchObject([{ total: shown.total, lines: { nodes: shown.lines } }])
        for (const { days, what, chance } of events) {
          const day = dayAfter(todayOf(one), days)
          if (day < periodStart(one.startDate, 'MONTHLY', number + 1)) await travel(one, day)
          await happen(one, what, chance, readings)
        }
        await bill(one, dunning)
        const after = await booksOf(one)
        checkBooks(after, one.startDate)
        const issued = new Map(kept(after))
        for (const [id, text] of before) expect(issued.get(id)).toBe(text)
        for (const [id, text] of issued) before.set(id, text)
      }
      // Every month is billed, or waits while more is to be given back.
      const { rows } = await started.graph.owner.query<{ waiting: number }>(
        `SELECT count(*)::int AS waiting FROM tenancy.pending_lines
          WHERE tenant_id = $1 AND description LIKE '%, fee' AND amount > 0 AND invoice_id IS NULL`,
        [one.tenant.id],
      )
      const billed = (await booksOf(one)).invoices.nodes
        .flatMap(({ lines }) => lines.nodes)
        .filter(({ description }) => description.endsWith(', fee'))
      expect(billed.length + rows[0]!.waiting).toBeGreaterThanOrEqual(12)
    }),
    { numRuns: 3, seed: 16, endOnFailure: true },
  )
}, 180_000)
