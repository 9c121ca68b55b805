import { dayAfter } from '../../subgraphs/tenancy/rules/period'
import { dunning } from '../../subgraphs/tenancy/jobs/dunning'
import { change } from '../support/lists'
import { operatorIn } from '../support/operator'
import { billingOf, type startBilling, type Subscriber } from './billed'

export interface LateInvoice {
  id: string
  version: number
  invoiceNumber: string
  status: string
  balance: { amount: string }
}

export const euros = (amount: string) => ({ amount, currency: 'EUR' })

/** Shares debtors, by the clocks of sandboxes, among tests of money that meets a reminder. */
export function lateOf(started: () => Awaited<ReturnType<typeof startBilling>>) {
  const billed = billingOf(started)
  const { subscriber, bill, travel } = billed
  const operator = (one: Subscriber) => operatorIn(started().graph, one.tenant)

  /** A tenant with levels, an address for bills, and an invoice of 67 euros that is due in 30 days. */
  async function debtor(levels: object[]) {
    const one = await subscriber()
    const { tenant } = await one.admin.data<{ tenant: { version: number } }>('{ tenant { version } }')
    const values = { expectedVersion: tenant.version, billingEmail: 'bills@tenant.example' }
    await change(one.admin, 'updateTenant', values, 'tenant { id }')
    await change(await operator(one), 'setDunningLevels', { levels }, 'levels { level }')
    await bill(one)
    const [invoice] = await invoices(one)
    return { one, invoice: invoice!, due: dayAfter(one.startDate, 30), act: await operator(one) }
  }

  const invoices = async ({ admin }: Subscriber) =>
    (
      await admin.data<{ invoices: { nodes: LateInvoice[] } }>(
        `{ invoices(orderBy: { field: INVOICE_NUMBER, direction: ASC }) { nodes {
             id version invoiceNumber status balance { amount } } } }`,
      )
    ).invoices.nodes

  /** Steps of all invoices as short texts of invoice, level, balance and fee. */
  const steps = async ({ admin }: Subscriber) =>
    (
      await admin.data<{
        dunningSteps: {
          nodes: {
            level: number
            balance: { amount: string }
            invoice: { invoiceNumber: string }
            feeInvoice: { total: { amount: string } } | null
          }[]
        }
      }>(
        `{ dunningSteps(orderBy: [{ field: TAKEN_ON, direction: ASC }]) { nodes {
             level balance { amount } invoice { invoiceNumber } feeInvoice { total { amount } } } } }`,
      )
    ).dunningSteps.nodes.map(
      ({ level, balance, invoice, feeInvoice }) =>
        `${invoice.invoiceNumber} ${level}: ${balance.amount}, fee ${feeInvoice?.total.amount ?? 'none'}`,
    )

  async function remindOn(one: Subscriber, day: string): Promise<void> {
    await travel(one, day)
    await bill(one, dunning)
  }

  const pastDueSince = async ({ admin, id }: Subscriber) =>
    (
      await admin.data<{ subscription: { pastDueSince: string | null } }>(
        `{ subscription(id: "${id}") { pastDueSince } }`,
      )
    ).subscription.pastDueSince

  return { ...billed, debtor, invoices, steps, remindOn, pastDueSince }
}
