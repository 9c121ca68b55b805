import type { TestClient, TestGraph, TestTenant } from '../support/graph'
import { change } from '../support/lists'

export interface Row {
  id: string
  version: number
}
export interface Billed extends Row {
  lines: { nodes: { id: string }[] }
}
export interface Payer {
  tenant: TestTenant
  admin: TestClient
}

export const seats = { description: 'Seats', quantity: '3', unitPrice: '19.99', taxRate: '19' }
export const support = { description: 'Support', unitPrice: '10.50', taxRate: '7' }
export const euros = (amount: string) => ({ amount, currency: 'EUR' })
export const keyOf = ({ id, version }: Row) => ({ id, expectedVersion: version })

/** What tests of credit notes share: tenants with invoices, and notes on these. */
export function creditingOf(graph: () => TestGraph) {
  let count = 0
  /** A tenant of its own, since numbers and sums are. */
  async function payer(): Promise<Payer> {
    const tenant = await graph().tenant(`credited-${++count}`)
    return { tenant, admin: await tenant.as('ADMIN') }
  }

  /** An invoice of 82.60 EUR: 59.97 at 19 % and 10.50 at 7 %. */
  async function invoiced(admin: TestClient, values: object = {}): Promise<Billed> {
    const input = { currency: 'EUR', lines: [seats, support], ...values }
    const drafted = await change<Row>(admin, 'draftInvoice', input, 'invoice { id version }')
    const key = { id: drafted.id, expectedVersion: drafted.version }
    return change<Billed>(admin, 'issueInvoice', key, 'invoice { id version lines { nodes { id } } }')
  }
  const draft = <T = Row>(admin: TestClient, input: object, selection = 'id version') =>
    change<T>(admin, 'draftCreditNote', { reason: 'ERROR', ...input }, `creditNote { ${selection} }`)
  const issue = <T = Row>(admin: TestClient, note: Row, selection = 'id version') =>
    change<T>(admin, 'issueCreditNote', keyOf(note), `creditNote { ${selection} }`)
  async function credited(admin: TestClient, input: object): Promise<Row> {
    return issue(admin, await draft(admin, input))
  }
  const invoiceOf = async (admin: TestClient, id: string) =>
    (
      await admin.data<{ invoice: Record<string, unknown> }>(
        `{ invoice(id: "${id}") { status amountPaid { amount } amountCredited { amount } balance { amount } } }`,
      )
    ).invoice

  /** All that is kept of credits, and what the sums of it are. */
  async function stored({ tenant }: Payer): Promise<unknown[]> {
    const { rows } = await graph().owner.query(
      `SELECT to_jsonb(n) AS row FROM tenancy.credit_notes n WHERE tenant_id = $1
       UNION ALL SELECT to_jsonb(l) FROM tenancy.credit_note_lines l WHERE tenant_id = $1
       UNION ALL SELECT to_jsonb(a) FROM tenancy.allocations a WHERE tenant_id = $1
       UNION ALL SELECT to_jsonb(i) FROM tenancy.invoices i WHERE tenant_id = $1 ORDER BY 1`,
      [tenant.id],
    )
    return rows
  }

  return { payer, invoiced, draft, issue, credited, invoiceOf, stored }
}
