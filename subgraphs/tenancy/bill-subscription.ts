import type { SubgraphContext } from '../../kernel/context'
import { uuidv7 } from '../../kernel/id'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import {
  atTheEnd,
  billedFrom,
  interimInvoice,
  isDocument,
  upcomingInvoice,
  type Bill,
  type TaxedLine,
  type Upcoming,
} from './billing'
import { Invoice } from './entities/Invoice'
import { InvoiceLine } from './entities/InvoiceLine'
import { PendingLine } from './entities/PendingLine'
import { PlanSubscription } from './entities/PlanSubscription'
import type { TenancyUserErrorCode } from './generated'
import { giveBack } from './give-back'
import { issueDraft } from './issue-invoice'
import { findParties } from './parties'
import type { Item } from './rules/billing'
import { taxOfItsDay } from './rules/tax'
import { putOnPlan } from './subscription-term'
import { todayOf } from './today'

type Tx = MutationTransaction<TenancyUserErrorCode>

/** Most periods that are billed at once: of what nobody billed for years the rest follows with the next run. */
const mostPeriods = 24

const markBilled = `
  UPDATE tenancy.pending_lines SET invoice_id = $3 WHERE tenant_id = $1 AND id = ANY ($2) AND invoice_id IS NULL`
// Nobody is shown the mark, so the record stays as it was changed last.
const markSeen =
  'UPDATE tenancy.subscriptions SET use_seen_at = $3, updated_at = updated_at WHERE tenant_id = $1 AND id = $2'
const noteItems =
  'INSERT INTO tenancy.agreed_items (id, subscription_id, since, items) VALUES ($1, $2, $3, $4)'
const noteUse = (count: number) => `
  INSERT INTO tenancy.billed_periods AS b (id, subscription_id, starts_on, ends_on, amounts)
  VALUES ${Array.from({ length: count }, (_, row) => `(${[1, 2, 3, 4, 5].map((one) => `$${row * 5 + one}`).join(', ')})`).join(', ')}
  ON CONFLICT (tenant_id, subscription_id, starts_on) DO UPDATE SET amounts = EXCLUDED.amounts`

/** Notes from when on these prices hold, so that what is used is priced by them. */
export async function noteAgreed(
  { clock }: SubgraphContext,
  tx: Tx,
  id: string,
  since: string,
  items: unknown,
): Promise<void> {
  // Of two from one instant on the later holds.
  const values = [uuidv7(clock.now().getTime()), id, since, JSON.stringify(items)]
  await tx.run(prepared(noteItems, values))
}

/** Why something that was due was not billed, in words for operators. */
export const noTaxDecided = 'No tax is decided for this tenant: set it with setTenantTax'

/**
 * Bills what is due of a subscription that is locked: an invoice for each period that began, one for what is due in between, and at
 * the end what is left, or a credit note for what is to be given back. Called again it bills nothing.
 * @returns the subscription as it is then, and why something that is due was not billed
 */
export async function billDue(
  context: SubgraphContext,
  tx: Tx,
  found: PlanSubscription,
): Promise<{ row: PlanSubscription; faults: string[] }> {
  const today = todayOf(context)
  const faults = new Set<string>()
  let row = found
  for (let count = 0; count < mostPeriods && !row.isSettled; count++) {
    const hasEnded = row.endDate !== null && row.endDate <= today
    if (!hasEnded && billedFrom(row) > today) break
    row = await billPeriod(context, tx, row, faults)
  }
  if (found.isSettled || !row.isSettled) await billBetween(context, tx, row, faults)
  return { row, faults: [...faults] }
}

/** Bills one period, or what is left when the term is over, and returns the subscription as it is then. */
async function billPeriod(
  context: SubgraphContext,
  tx: Tx,
  row: PlanSubscription,
  faults: Set<string>,
): Promise<PlanSubscription> {
  const upcoming = await upcomingInvoice((statement) => tx.rows(statement), row)
  const { period, next, isOver } = upcoming
  if (isOver) await billTheEnd(context, tx, row, upcoming, faults)
  else await billOrKeep(context, tx, row, upcoming, { billedFrom: period.start }, faults)
  await noteBilledUse(context, tx, row, upcoming)
  if (next !== row)
    await noteAgreed(context, tx, row.id, `${period.start}T00:00:00.000Z`, next.items as Item[])
  if (next.plan !== row.plan) await putOnPlan(context, tx, next)
  const { plan, billingInterval, seats, features, limits, items, price, anchorDate, nextChange } = next
  return tx.update(PlanSubscription, row.id, null, {
    ...{ plan, billingInterval, seats, features, limits, items, price, anchorDate },
    ...{ nextChange: isOver ? null : nextChange, useSeenAt: context.clock.now().toISOString() },
    ...(isOver ? { isSettled: true } : { billedUntil: period.end }),
  })
}

/** Bills what is due before the next period; of what is settled also what was read or corrected since. */
async function billBetween(
  context: SubgraphContext,
  tx: Tx,
  row: PlanSubscription,
  faults: Set<string>,
): Promise<void> {
  const read = (statement: Parameters<Tx['rows']>[0]) => tx.rows(statement)
  if (row.isSettled) {
    const upcoming = await upcomingInvoice(read, row)
    await billTheEnd(context, tx, row, upcoming, faults)
    await noteBilledUse(context, tx, row, upcoming)
    // Of what is over nothing changes by being looked at: no version, and nothing in the trail.
    await tx.run(prepared(markSeen, [row.tenantId, row.id, context.clock.now().toISOString()]))
    return
  }
  const interim = await interimInvoice(read, row)
  if (interim && interim.on <= todayOf(context))
    await billOrKeep(context, tx, row, interim, { isInterim: true }, faults)
}

/** At the end nothing waits: by rate, what is owed is billed and what is left over is given back. */
async function billTheEnd(
  context: SubgraphContext,
  tx: Tx,
  row: PlanSubscription,
  { lines, isTaxed }: Upcoming,
  faults: Set<string>,
): Promise<void> {
  const { owed, back } = atTheEnd(lines)
  await billOrKeep(context, tx, row, { ...owed, isTaxed }, { isInterim: true }, faults)
  if (back.length === 0) return
  const ids = back.flatMap(({ pendingId }) => pendingId ?? [])
  ids.push(...(await keep(tx, row, back, null)))
  const fault = await giveBack(context, tx, row, back, ids)
  if (fault) faults.add(fault)
}

/** Issues an invoice, once; what none can say, or nobody knows the tax or the parties of, is kept for the next one. */
async function billOrKeep(
  context: SubgraphContext,
  tx: Tx,
  row: PlanSubscription,
  { lines, totals, isTaxed }: Bill,
  values: Partial<Pick<Invoice, 'billedFrom' | 'isInterim'>>,
  faults: Set<string>,
): Promise<void> {
  if (!isTaxed && isDocument(totals)) faults.add(noTaxDecided)
  if (!isTaxed || !isDocument(totals)) {
    await keep(tx, row, lines, isTaxed ? null : todayOf(context))
    return
  }
  const parties = await findParties(context, tx, {
    taxId: taxIdOf(lines),
    isReverseCharge: lines.some(({ taxTreatment }) => taxTreatment === 'REVERSE_CHARGE'),
  })
  // Nobody is kept in a contract by what the platform has not told: what is due waits.
  if ('code' in parties) {
    faults.add(parties.message)
    await keep(tx, row, lines, todayOf(context))
    return
  }
  const { currency } = row
  const drafted = await tx.insert(Invoice, { currency, subscriptionId: row.id, ...values, ...totals })
  await tx.insertAll(
    InvoiceLine,
    lines.map(({ pendingId: _, isTaxKept: __, taxId: ___, ...line }, place) => ({
      ...line,
      ...{ invoiceId: drafted.id, currency, position: place + 1 },
    })),
  )
  await issueDraft(context, tx, drafted, null, parties)
  const pending = lines.flatMap(({ pendingId }) => pendingId ?? [])
  if (pending.length > 0) await tx.run(prepared(markBilled, [row.tenantId, pending, drafted.id]))
}

/** Keeps lines that do not wait yet, but for those that cost nothing, and returns their ids. */
async function keep(
  tx: Tx,
  row: PlanSubscription,
  lines: readonly TaxedLine[],
  dueOn: string | null,
): Promise<string[]> {
  const fresh = lines.filter(({ pendingId, amount }) => pendingId === null && amount !== '0')
  if (fresh.length === 0) return []
  const kept = await tx.insertAll(
    PendingLine,
    fresh.map((line, place) => {
      const { description, quantity, unitPrice, amount, serviceStart, serviceEnd, taxOn } = line
      const { taxRate, taxTreatment, taxReason, isTaxKept } = line
      return {
        ...{ subscriptionId: row.id, description, quantity, unitPrice, amount, serviceStart, serviceEnd },
        ...{ taxOn, dueOn, place },
        ...(isTaxKept ? { taxRate, taxTreatment, taxReason } : taxOfItsDay),
      }
    }),
  )
  return kept.map(({ id }) => id)
}

/** The tax id by the decision for the latest day that is billed, with reverse charge where any is, which the invoice states. */
function taxIdOf(lines: readonly TaxedLine[]): string | null {
  const reversed = lines.filter(({ taxTreatment }) => taxTreatment === 'REVERSE_CHARGE')
  const ordered = [...(reversed.length > 0 ? reversed : lines)]
  ordered.sort((a, b) => (a.taxOn < b.taxOn ? -1 : a.taxOn > b.taxOn ? 1 : 0))
  return ordered.at(-1)?.taxId ?? null
}

async function noteBilledUse(
  { clock }: SubgraphContext,
  tx: Tx,
  row: PlanSubscription,
  { billed }: Upcoming,
): Promise<void> {
  if (billed.length === 0) return
  const now = clock.now().getTime()
  const values = billed.map(({ period: { start, end }, amounts }) => [
    ...[uuidv7(now), row.id, start, end, JSON.stringify(amounts)],
  ])
  await tx.run(prepared(noteUse(billed.length), values.flat()))
}
