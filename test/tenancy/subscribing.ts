import type { TestClient, TestGraph, TestTenant } from '../support/graph'
import { change } from '../support/lists'

export interface Row {
  id: string
  version: number
}

export const professional = { plan: 'PROFESSIONAL', billingInterval: 'MONTHLY', currency: 'EUR', seats: 2 }

/** What tests of subscriptions share: tenants of their own, what they start, and how it is stored. */
export function subscribingOf(graph: () => TestGraph) {
  let count = 0
  const today = () => graph().clock.now().toISOString().slice(0, 10)
  const inDays = (days: number) =>
    new Date(graph().clock.now().getTime() + days * 86_400_000).toISOString().slice(0, 10)

  /** A tenant of its own for each test: it can have one subscription. */
  async function freshTenant(): Promise<{ tenant: TestTenant; admin: TestClient }> {
    const tenant = await graph().tenant(`subscriber-${++count}`)
    return { tenant, admin: await tenant.as('ADMIN') }
  }

  const start = <T = Row>(client: TestClient, values = {}, selection = '{ id version }'): Promise<T> =>
    change<T>(client, 'startSubscription', { ...professional, ...values }, `subscription ${selection}`)

  async function stored(tenantId: string): Promise<Record<string, unknown>[]> {
    const { rows } = await graph().owner.query<Record<string, unknown>>(
      `SELECT id, plan, status, start_date::text, end_date::text, current_period_start::text, current_period_end::text,
              price, currency, version FROM tenancy.subscriptions WHERE tenant_id = $1 ORDER BY id`,
      [tenantId],
    )
    return rows
  }

  return { today, inDays, freshTenant, start, stored }
}
