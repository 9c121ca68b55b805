import type { TestClient, TestGraph } from '../support/graph'
import { change } from '../support/lists'

export interface Row {
  id: string
  version: number
}

export const euros = (amount: string) => ({ amount, currency: 'EUR' })
export const seats = { description: 'Seats', quantity: '3', unitPrice: '19.99', taxRate: '19' }
export const discount = { description: 'Discount', unitPrice: '-10', taxRate: '19' }

export const amounts =
  'subtotal { amount } tax { amount } total { amount currency } amountPaid { amount } balance { amount }'
export const lines =
  'lines { nodes { position description quantity unitPrice { amount } amount { amount } taxRate } }'

/** What tests of invoices share: drafts that an operator who is in a tenant makes, issues and notes as paid. */
export function invoicingOf(started: () => { graph: TestGraph; biller: TestClient }) {
  const draft = <T = Row>(values = {}, selection = '{ id version }', client = started().biller): Promise<T> =>
    change<T>(client, 'draftInvoice', { currency: 'EUR', lines: [seats], ...values }, `invoice ${selection}`)

  const issue = <T = Row>(
    { id, version }: Row,
    selection = '{ id version }',
    client = started().biller,
  ): Promise<T> => change<T>(client, 'issueInvoice', { id, expectedVersion: version }, `invoice ${selection}`)

  const pay = <T = Row>(id: string, amount: string, selection = '{ id version }'): Promise<T> =>
    change<T>(started().biller, 'payInvoice', { id, amount: euros(amount) }, `invoice ${selection}`)

  /** An invoice and its lines as they are stored. */
  async function stored(id: string): Promise<unknown> {
    const { rows } = await started().graph.owner.query<object>(
      `SELECT to_jsonb(i) AS invoice, (SELECT jsonb_agg(l ORDER BY position) FROM tenancy.invoice_lines l
         WHERE l.invoice_id = i.id) AS lines FROM tenancy.invoices i WHERE id = $1`,
      [id],
    )
    return rows[0]
  }

  return { draft, issue, pay, stored }
}
