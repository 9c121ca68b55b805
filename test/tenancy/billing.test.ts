import { clockAhead } from '../../kernel/clock'
import type { Database } from '../../kernel/connection/database'
import { billing } from '../../subgraphs/tenancy/jobs/billing'
import { periodStart } from '../../subgraphs/tenancy/rules/period'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { runJob } from '../support/jobs'
import { change, readAll } from '../support/lists'

let graph: TestGraph
let tenancy: Database
let count = 0

beforeAll(async () => {
  graph = await startGraph({
    around: (name, database) => {
      if (name === 'tenancy') tenancy = database
      return database
    },
  })
})
afterAll(() => graph?.close())

const day = 86_400_000
const today = () => graph.clock.now().toISOString().slice(0, 10)
/** Runs the job as a worker would, by the tenant's clock. */
const bill = (tenant: TestTenant, secondsAhead = 0, job = billing) => {
  const clock = clockAhead(graph.clock, secondsAhead)
  return runJob(job, tenancy, { ...graph.server.services, clock }, { tenantId: tenant.id })
}

interface Subscriber {
  tenant: TestTenant
  admin: TestClient
  id: string
  startDate: string
}

async function subscriber(values: object = {}): Promise<Subscriber> {
  const tenant = await graph.tenant(`billed-${++count}`)
  const admin = await tenant.as('ADMIN')
  const input = { plan: 'STARTER', billingInterval: 'MONTHLY', currency: 'EUR', seats: 2, ...values }
  const { id } = await change<{ id: string }>(admin, 'startSubscription', input, 'subscription { id }')
  return { tenant, admin, id, startDate: today() }
}

interface Billed {
  invoiceNumber: string
  status: string
  total: { amount: string }
  lines: { nodes: object[] }
}

const line = 'description quantity unitPrice { amount } amount { amount } serviceStart serviceEnd'
const invoices = ({ admin }: Subscriber) =>
  readAll(
    admin,
    'invoices',
    `invoiceNumber status subtotal { amount } total { amount } lines { nodes { ${line} } }`,
    'orderBy: { field: INVOICE_NUMBER, direction: ASC }',
    20,
  ) as unknown as Promise<Billed[]>
const preview = async ({ admin, id }: Subscriber) =>
  (
    await admin.data<{ previewInvoice: { total: { amount: string }; lines: object[] } | null }>(
      `{ previewInvoice(subscriptionId: "${id}") { periodStart periodEnd total { amount } lines { ${line} } } }`,
    )
  ).previewInvoice

test('a period is billed on the day on which it begins, once, and as the preview said', async () => {
  const one = await subscriber()
  const end = periodStart(one.startDate, 'MONTHLY', 1)
  const shown = await preview(one)
  expect(shown).toMatchObject({ periodStart: one.startDate, periodEnd: end, total: { amount: '67.00' } })
  await bill(one.tenant)
  const service = { serviceStart: one.startDate, serviceEnd: end }
  const expected = {
    invoiceNumber: 'INV-000001',
    status: 'ISSUED',
    subtotal: { amount: '67.00' },
    total: { amount: '67.00' },
    lines: {
      nodes: [
        {
          description: 'STARTER, fee',
          quantity: '1',
          unitPrice: { amount: '49.00' },
          amount: { amount: '49.00' },
          ...service,
        },
        {
          description: 'STARTER, seats',
          quantity: '2',
          unitPrice: { amount: '9.00' },
          amount: { amount: '18.00' },
          ...service,
        },
      ],
    },
  }
  expect(await invoices(one)).toEqual([expected])
  expect(shown!.lines).toEqual(expected.lines.nodes)
  await bill(one.tenant)
  expect(await invoices(one)).toHaveLength(1)
  expect(await one.admin.data('{ tenant { subscription { billedUntil } } }')).toEqual({
    tenant: { subscription: { billedUntil: end } },
  })
})

test('ten workers bill one period once', async () => {
  const one = await subscriber()
  await Promise.all(Array.from({ length: 10 }, () => bill(one.tenant)))
  expect(await invoices(one)).toHaveLength(1)
  const again = graph.owner.query(
    `INSERT INTO tenancy.invoices (tenant_id, id, subscription_id, billed_from, subtotal, total, currency)
     SELECT tenant_id, gen_random_uuid(), subscription_id, billed_from, 0, 0, currency FROM tenancy.invoices WHERE tenant_id = $1`,
    [one.tenant.id],
  )
  await expect(again).rejects.toMatchObject({ constraint: 'invoices_subscription_id_billed_from_key' })
})

test('a run that dies leaves nothing, and the next one bills all of it', async () => {
  const one = await subscriber()
  const dying: typeof billing = {
    ...billing,
    async run(...parts) {
      await billing.run(...parts)
      throw new Error('killed')
    },
  }
  await expect(bill(one.tenant, 0, dying)).rejects.toThrow('killed')
  expect(await invoices(one)).toEqual([])
  await bill(one.tenant)
  expect(await invoices(one)).toHaveLength(1)
})

test('the days of a trial are free, by the second, and a trial alone is never billed', async () => {
  const one = await subscriber({ plan: 'PROFESSIONAL', seats: 1 })
  const end = periodStart(one.startDate, 'MONTHLY', 1)
  const days = (Date.parse(end) - Date.parse(one.startDate)) / day
  const left = (whole: number) => (Math.round((whole * (days - 14)) / days) / 100).toFixed(2)
  await bill(one.tenant)
  const [first] = await invoices(one)
  const trialEnd = new Date(Date.parse(one.startDate) + 14 * day).toISOString().slice(0, 10)
  const service = { serviceStart: trialEnd, serviceEnd: end }
  expect(first!.lines.nodes).toMatchObject([
    { description: 'PROFESSIONAL, fee, part of a period', amount: { amount: left(19000) }, ...service },
    { description: 'PROFESSIONAL, seats, part of a period', amount: { amount: left(1500) }, ...service },
  ])
  const free = await subscriber({ plan: 'TRIAL', seats: 1 })
  await bill(free.tenant)
  expect(await invoices(free)).toEqual([])
})

test('a change in a billed period is on the next invoice: the old price back, the new one on top', async () => {
  const one = await subscriber()
  await bill(one.tenant)
  const { version } = (
    await one.admin.data<{ tenant: { subscription: { version: number } } }>(
      '{ tenant { subscription { version } } }',
    )
  ).tenant.subscription
  const input = { id: one.id, expectedVersion: version, plan: 'ENTERPRISE' }
  await change(one.admin, 'changeSubscriptionPlan', input, 'subscription { id }')
  const shown = await preview(one)
  expect(shown!.lines).toMatchObject([
    { description: 'ENTERPRISE, fee', amount: { amount: '1900.00' } },
    { description: 'ENTERPRISE, seats', amount: { amount: '24.00' } },
    { description: 'STARTER, unused part' },
    { description: 'ENTERPRISE, rest of the period' },
  ])
})

test('a year by the clock is billed without gap, with what was used beyond the plan, each as its preview said', async () => {
  const [one, other] = [await subscriber(), await subscriber({ billingInterval: 'ANNUAL' })]
  await graph.owner.query('UPDATE tenancy.tenants SET is_sandbox = true WHERE id = ANY ($1)', [
    [one.tenant.id, other.tenant.id],
  ])
  for (let month = 0; month < 12; month++) {
    const start = periodStart(one.startDate, 'MONTHLY', month)
    const to = Date.parse(`${start}T12:00:00Z`)
    const ahead = Math.max(0, Math.ceil((to - graph.clock.now().getTime()) / 1000))
    if (ahead > 0)
      for (const { admin } of [one, other])
        await change(admin, 'moveClock', { to: new Date(to).toISOString() }, 'tenant { id }')
    const shown = await preview(one)
    await bill(one.tenant, ahead)
    await bill(other.tenant, ahead)
    const all = await invoices(one)
    expect(all).toHaveLength(month + 1)
    expect({ total: all.at(-1)!.total, lines: all.at(-1)!.lines.nodes }).toEqual({
      total: shown!.total,
      lines: shown!.lines,
    })
    expect(shown).toMatchObject({
      periodStart: start,
      periodEnd: periodStart(one.startDate, 'MONTHLY', month + 1),
    })
    if (month === 3) {
      const occurredAt = new Date(to - 60_000).toISOString()
      const reading = { subscriptionId: one.id, meter: 'API_CALLS', quantity: '30000', occurredAt }
      await change(
        one.admin,
        'recordUsage',
        { ...reading, source: 'gateway', externalId: 'e' },
        'usageRecord { id }',
      )
    }
  }
  const all = await invoices(one)
  expect(all.map(({ total }) => total.amount)).toEqual(
    Array.from({ length: 12 }, (_, month) => (month === 4 ? '71.00' : '67.00')),
  )
  expect(all[4]!.lines.nodes.slice(2)).toMatchObject([
    {
      description: 'Use: API_CALLS',
      quantity: '20000',
      unitPrice: { amount: '0.00' },
      amount: { amount: '0.00' },
    },
    {
      description: 'Use: API_CALLS',
      quantity: '10000',
      unitPrice: { amount: '0.0004' },
      amount: { amount: '4.00' },
    },
  ])
  // Ten times the month for a year, and what was used is billed by the year.
  expect((await invoices(other)).map(({ total }) => total.amount)).toEqual(['670.00'])
}, 120_000)
