import type { TestClient, TestGraph, TestTenant } from '../support/graph'
import { change } from '../support/lists'
import { operatorIn } from '../support/operator'

export interface Row {
  id: string
  version: number
}
export interface Billed extends Row {
  lines: { nodes: { id: string }[] }
}
export interface Payer {
  tenant: TestTenant
  biller: TestClient
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
    return { tenant, biller: await operatorIn(graph(), tenant) }
  }

  /** An invoice of 82.60 EUR: 59.97 at 19 % and 10.50 at 7 %. */
  async function invoiced(biller: TestClient, values: object = {}): Promise<Billed> {
    const input = { currency: 'EUR', lines: [seats, support], ...values }
    const drafted = await change<Row>(biller, 'draftInvoice', input, 'invoice { id version }')
    const key = { id: drafted.id, expectedVersion: drafted.version }
    return change<Billed>(biller, 'issueInvoice', key, 'invoice { id version lines { nodes { id } } }')
  }
  const draft = <T = Row>(biller: TestClient, input: object, selection = 'id version') =>
    change<T>(biller, 'draftCreditNote', { reason: 'ERROR', ...input }, `creditNote { ${selection} }`)
  const issue = <T = Row>(biller: TestClient, note: Row, selection = 'id version') =>
    change<T>(biller, 'issueCreditNote', keyOf(note), `creditNote { ${selection} }`)
  async function credited(biller: TestClient, input: object): Promise<Row> {
    return issue(biller, await draft(biller, input))
  }
  const invoiceOf = async (biller: TestClient, id: string) =>
    (
      await biller.data<{ invoice: Record<string, unknown> }>(
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
