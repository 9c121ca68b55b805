import { clockAhead } from '../../kernel/clock'
import type { Database } from '../../kernel/connection/database'
import type { Job } from '../../kernel/jobs'
import { billing } from '../../subgraphs/tenancy/jobs/billing'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { runJob } from '../support/jobs'
import { change, readAll } from '../support/lists'
import { meterOf } from '../support/meter'
import { operatorIn } from '../support/operator'

export const dayMs = 86_400_000

export interface Subscriber {
  tenant: TestTenant
  admin: TestClient
  id: string
  startDate: string
  /** By how many seconds the tenant is ahead. */
  ahead: number
}

export interface Line {
  description: string
  quantity: string
  unitPrice: { amount: string }
  amount: { amount: string }
  taxRate: string
  serviceStart: string
  serviceEnd: string
}

export interface Billed {
  id: string
  version: number
  invoiceNumber: string
  status: string
  subtotal: { amount: string }
  tax: { amount: string }
  total: { amount: string }
  lines: { nodes: Line[] }
}

export interface Previewed {
  periodStart: string
  periodEnd: string
  isTaxDecided: boolean
  total: { amount: string }
  lines: Line[]
}

const line = 'description quantity unitPrice { amount } amount { amount } taxRate serviceStart serviceEnd'

/** The graph, with the database that the billing job works on. */
export async function startBilling(): Promise<{ graph: TestGraph; tenancy: Database }> {
  let tenancy: Database | undefined
  const graph = await startGraph({
    around: (name, database) => {
      if (name === 'tenancy') tenancy = database
      return database
    },
  })
  return { graph, tenancy: tenancy! }
}

/** What tests of billing share: tenants with a subscription in sandboxes, the billing job, and what it billed. */
export function billingOf(started: () => { graph: TestGraph; tenancy: Database }) {
  let count = 0
  const graph = () => started().graph
  const nowOf = ({ ahead }: Subscriber) => clockAhead(graph().clock, ahead).now()
  const todayOf = (one: Subscriber) => nowOf(one).toISOString().slice(0, 10)

  const setTax = async (one: Pick<Subscriber, 'tenant'>, input: object = { rate: '0', reason: 'Test' }) =>
    change(
      await operatorIn(graph(), one.tenant),
      'setTenantTax',
      { treatment: Number((input as { rate?: string }).rate) > 0 ? 'STANDARD' : 'EXEMPT', ...input },
      'tax { validFrom treatment rate taxId reason }',
    )

  /** A tenant with a subscription, and a tax unless it says null. */
  async function subscriber(values: object = {}, tax: object | null = { rate: '0', reason: 'Test' }) {
    const tenant = await graph().tenant(`billed-${++count}`)
    const admin = await tenant.as('ADMIN')
    await graph().owner.query('UPDATE tenancy.tenants SET is_sandbox = true WHERE id = $1', [tenant.id])
    const input = { plan: 'STARTER', billingInterval: 'MONTHLY', currency: 'EUR', seats: 2, ...values }
    const started = await change<{ id: string; startDate: string }>(
      admin,
      'startSubscription',
      input,
      'subscription { id startDate }',
    )
    const one: Subscriber = { tenant, admin, ...started, ahead: 0 }
    if (tax) await setTax(one, tax)
    return one
  }

  /** Runs the job as a worker would, by the tenant's clock, and returns why something was not billed. */
  async function bill(one: Subscriber, job: Job = billing): Promise<string | null> {
    const clock = clockAhead(graph().clock, one.ahead)
    await runJob(job, started().tenancy, { ...graph().server.services, clock }, { tenantId: one.tenant.id })
    const { rows } = await graph().owner.query<{ fault: string | null }>(
      'SELECT billing_fault AS fault FROM tenancy.tenants WHERE id = $1',
      [one.tenant.id],
    )
    return rows[0]!.fault
  }

  /** Moves the tenant to noon of a day, or to an instant. */
  async function travel(one: Subscriber, day: string): Promise<void> {
    const to = day.length === 10 ? `${day}T12:00:00.000Z` : day
    const seconds = Math.ceil((Date.parse(to) - graph().clock.now().getTime()) / 1000)
    if (seconds <= one.ahead) return
    await change(one.admin, 'moveClock', { to }, 'tenant { id }')
    const { rows } = await graph().owner.query<{ ahead: number }>(
      'SELECT ahead_seconds AS ahead FROM tenancy.tenants WHERE id = $1',
      [one.tenant.id],
    )
    one.ahead = rows[0]!.ahead
  }

  const invoices = ({ admin }: Subscriber) =>
    readAll(
      admin,
      'invoices',
      `id version invoiceNumber status subtotal { amount } tax { amount } total { amount }
       lines(first: 50) { nodes { ${line} } }`,
      'orderBy: { field: INVOICE_NUMBER, direction: ASC }',
      20,
    ) as unknown as Promise<Billed[]>

  const preview = async ({ admin, id }: Subscriber) =>
    (
      await admin.data<{ previewInvoice: Previewed }>(
        `{ previewInvoice(subscriptionId: "${id}") {
             periodStart periodEnd isTaxDecided total { amount } lines { ${line} } } }`,
      )
    ).previewInvoice

  /** The lines of the last invoice as short texts of description and amount. */
  const lastLines = async (one: Subscriber) =>
    ((await invoices(one)).at(-1)?.lines.nodes ?? []).map(
      ({ description, amount }) => `${description}: ${amount.amount}`,
    )

  /** A mutation of the subscription as it is. */
  async function act(one: Subscriber, mutation: string, values: object = {}): Promise<void> {
    const { subscription } = await one.admin.data<{ subscription: { version: number } }>(
      `{ subscription(id: "${one.id}") { version } }`,
    )
    const input = { id: one.id, expectedVersion: subscription.version, ...values }
    await change(one.admin, mutation, input, 'subscription { id }')
  }

  /** Records calls of a minute ago, or of another instant. */
  async function record(one: Subscriber, quantity: string, occurredAt?: string): Promise<string> {
    const reading = {
      ...{
        subscriptionId: one.id,
        meter: 'API_CALLS',
        quantity,
        source: 'gateway',
        externalId: `e-${++count}`,
      },
      occurredAt: occurredAt ?? new Date(nowOf(one).getTime() - 60_000).toISOString(),
    }
    return (
      await change<{ id: string }>(
        await meterOf(graph(), one.tenant),
        'recordUsage',
        reading,
        'usageRecord { id }',
      )
    ).id
  }

  const correct = async (one: Subscriber, id: string, quantity: string) =>
    change(
      await operatorIn(graph(), one.tenant),
      'correctUsage',
      { id, quantity, source: 'support', externalId: `c-${++count}`, reason: 'Counted twice' },
      'usageRecord { id }',
    )

  const subscriptionOf = async ({ admin, id }: Subscriber) =>
    (
      await admin.data<{ subscription: Record<string, unknown> }>(
        `{ subscription(id: "${id}") { plan status startDate endDate trialEndsOn billedUntil nextPlan price { amount } } }`,
      )
    ).subscription

  return {
    setTax,
    subscriber,
    bill,
    travel,
    invoices,
    preview,
    lastLines,
    act,
    record,
    correct,
    subscriptionOf,
    nowOf,
    todayOf,
  }
}
