import type { TestClient, TestGraph, TestTenant } from '../support/graph'
import { change } from '../support/lists'
import { meterOf } from '../support/meter'
import { operatorIn } from '../support/operator'

export const hour = 3_600_000
export const day = 24 * hour

export interface Subscriber {
  tenant: TestTenant
  admin: TestClient
  /** The account of the platform that records what is used. */
  meter: TestClient
  /** An operator who entered the tenant. */
  biller: TestClient
  subscriptionId: string
  reading(values?: object): Record<string, unknown>
}

/** What tests of meters share: tenants with a subscription, and what was read and used under it. */
export function meteringOf(graph: () => TestGraph) {
  let count = 0
  const ago = (milliseconds: number) => new Date(graph().clock.now().getTime() - milliseconds).toISOString()

  /** A tenant with a subscription that began long ago; `limits` as its plan would have them. */
  async function subscriber(limits: object = {}): Promise<Subscriber> {
    const tenant = await graph().tenant(`metered-${++count}`)
    const admin = await tenant.as('ADMIN')
    const plan = { plan: 'STARTER', billingInterval: 'MONTHLY', currency: 'EUR' }
    const { id } = await change<{ id: string }>(admin, 'startSubscription', plan, 'subscription { id }')
    await graph().owner.query(
      'UPDATE tenancy.subscriptions SET limits = $2, start_date = $3, current_period_start = $3 WHERE id = $1',
      [id, limits, ago(400 * day).slice(0, 10)],
    )
    let place = 0
    const reading = (values = {}) => ({
      subscriptionId: id,
      meter: 'API_CALLS',
      occurredAt: ago(1000),
      source: 'gateway',
      externalId: `event-${++place}`,
      ...values,
    })
    const [meter, biller] = [await meterOf(graph(), tenant), await operatorIn(graph(), tenant)]
    return { tenant, admin, meter, biller, subscriptionId: id, reading }
  }

  async function stored({ tenant }: Subscriber): Promise<{ quantity: string; external_id: string }[]> {
    const text =
      'SELECT quantity::text, external_id FROM tenancy.usage_records WHERE tenant_id = $1 ORDER BY id'
    return (await graph().owner.query<{ quantity: string; external_id: string }>(text, [tenant.id])).rows
  }

  const used = async ({ admin }: Subscriber, meter: string, args = '') => {
    const query = `{ usageSummary(meter: ${meter} ${args}) { used limit level } }`
    return (await admin.data<{ usageSummary: object[] }>(query)).usageSummary[0]
  }

  const batch = async ({ meter }: Subscriber, records: object[]) => {
    const query = `mutation ($input: RecordUsageBatchInput!) { recordUsageBatch(input: $input) {
      results { usageRecord { id quantity } userErrors { code field } } userErrors { code field } } }`
    const { recordUsageBatch } = await meter.data<{
      recordUsageBatch: {
        results: {
          usageRecord: { id: string; quantity: string } | null
          userErrors: { code: string; field: string[] }[]
        }[]
        userErrors: object[]
      }
    }>(query, { input: { records } })
    return recordUsageBatch
  }

  return { ago, subscriber, stored, used, batch }
}
