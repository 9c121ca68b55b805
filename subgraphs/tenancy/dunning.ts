import type { SubgraphContext } from '../../kernel/context'
import { userError } from '../../kernel/errors'
import { money, parseMoney } from '../../kernel/money'
import type { MutationTransaction } from '../../kernel/mutate'
import { valueByKey } from '../../kernel/query'
import { prepared } from '../../kernel/statement'
import { DunningPolicy as StoredPolicy } from './entities/DunningPolicy'
import { Invoice } from './entities/Invoice'
import type { DunningLevelInput, TenancyUserErrorCode } from './generated'
import {
  daysBetween,
  levelsFault,
  standardPolicy,
  type DunningLevel,
  type DunningPolicy,
} from './rules/dunning'
import { todayOf } from './today'
import { requireCurrentCurrency } from './unit-price'
import { requireReason } from './void-reason'

type Tx = MutationTransaction<TenancyUserErrorCode>

const findLatest = `
  SELECT revision FROM tenancy.dunning_policies WHERE tenant_id = $1 ORDER BY revision DESC LIMIT 1`
const findAll = `
  SELECT created_at, currency, levels FROM tenancy.dunning_policies WHERE tenant_id = $1 ORDER BY revision DESC`

/**
 * Finds the policies of the tenant. Of an invoice that holds which was decided last before it was issued, else the standard one:
 * nobody pays for being late by what was decided afterwards, and its levels stay those that were begun with.
 */
export async function findPolicies(
  context: SubgraphContext,
  tx: Tx,
): Promise<(issuedAt: string) => DunningPolicy> {
  const rows = (await tx.rows(prepared(findAll, [context.binding.tenantId]))) as [
    string,
    string | null,
    DunningLevel[],
  ][]
  return (issuedAt) => {
    const [, currency, levels] = rows.find(([since]) => Date.parse(since) <= Date.parse(issuedAt)) ?? []
    return levels ? { currency: currency ?? null, levels } : standardPolicy
  }
}

/** Decides which steps are taken about what is issued from here on; fails with INVALID for levels that cannot be followed. */
export async function decidePolicy(
  context: SubgraphContext,
  tx: Tx,
  inputs: readonly DunningLevelInput[],
): Promise<StoredPolicy> {
  const fees = inputs.map(({ fee }) => (fee ? parseMoney(fee, 'fee') : null))
  const [currency = null, ...others] = [...new Set(fees.flatMap((fee) => fee?.currency ?? []))]
  if (others.length > 0) tx.fail('INVALID', `fees must be in one currency, which is ${currency}`, 'levels')
  if (currency) requireCurrentCurrency(currency, todayOf(context), ['levels'])
  const levels = inputs.map(({ days }, place) => ({ days, fee: fees[place]?.minor ?? '0' }))
  const fault = levelsFault(levels)
  if (fault) {
    const { place, field, message } = fault
    throw userError(
      'INVALID',
      `${field} ${message}`,
      place === null ? [field] : ['levels', String(place), field],
    )
  }
  const [row] = await tx.rows(prepared(findLatest, [context.binding.tenantId]))
  const createdAt = context.clock.now().toISOString()
  return tx.insert(StoredPolicy, { revision: Number(row?.[0] ?? 0) + 1, currency, levels, createdAt })
}

/** The levels of a policy as they are shown. */
export const shownLevels = ({ currency, levels }: DunningPolicy) =>
  levels.map(({ days, fee }, place) => ({
    ...{ level: place + 1, days, isLast: place + 1 === levels.length },
    fee: currency !== null && fee !== '0' ? money(fee, currency) : null,
  }))

/** The latest policy by tenant. */
export const policyOf = valueByKey<DunningPolicy>(
  `SELECT DISTINCT ON (tenant_id) tenant_id, jsonb_build_object('currency', currency, 'levels', levels)
     FROM tenancy.dunning_policies WHERE tenant_id = $1 AND tenant_id = ANY ($2) ORDER BY tenant_id, revision DESC`,
  standardPolicy,
)

/**
 * Query of what is still owed of each invoice of a tenant ($1), by `id` and `owed`: without what was credited of it and not used
 * yet, and without other money of the tenant that is on account, which settles what is due for longest. What is disputed takes none.
 */
export const stillOwed = `
  SELECT o.id, LEAST(o.open, o.so_far - COALESCE(m.money, 0)) AS owed FROM (
    SELECT x.id, x.currency, x.open, sum(x.open) OVER (PARTITION BY x.currency ORDER BY x.due_date, x.id) AS so_far FROM (
      SELECT i.id, i.currency, i.due_date, i.total - i.amount_paid - i.amount_credited - COALESCE((
               SELECT sum(n.remaining) FROM tenancy.credit_notes n
                WHERE n.tenant_id = $1 AND n.invoice_id = i.id AND n.status = 'ISSUED'), 0) AS open
        FROM tenancy.invoices i
       WHERE i.tenant_id = $1 AND i.status IN ('ISSUED', 'PARTLY_PAID') AND i.dunning_paused_at IS NULL) x
     WHERE x.open > 0) o
  LEFT JOIN (
    SELECT c.currency, sum(c.part) AS money FROM (
      SELECT p.currency, p.amount - p.allocated - p.refunded AS part FROM tenancy.payments p
       WHERE p.tenant_id = $1 AND p.status <> 'REVERSED'
      UNION ALL
      SELECT n.currency, sum(n.remaining) - LEAST(sum(n.remaining), CASE WHEN i.status IN ('ISSUED', 'PARTLY_PAID')
               THEN i.total - i.amount_paid - i.amount_credited ELSE 0 END)
        FROM tenancy.credit_notes n JOIN tenancy.invoices i ON i.tenant_id = $1 AND i.id = n.invoice_id
       WHERE n.tenant_id = $1 AND n.status = 'ISSUED'
       GROUP BY n.currency, i.id, i.status, i.total, i.amount_paid, i.amount_credited) c
     GROUP BY c.currency) m ON m.currency = o.currency
   WHERE o.so_far > COALESCE(m.money, 0)`

/**
 * Instant since which a subscription is past due: that of the last step about an invoice of it that is still owed; of one that was paid
 * with money that went back that of its return, when that is later.
 */
export const pastDueSince = valueByKey<string | null>(
  `SELECT i.subscription_id, min(GREATEST(d.created_at, (
            SELECT max(a.created_at) FROM tenancy.allocations a
             WHERE a.tenant_id = $1 AND a.invoice_id = i.id AND a.amount < 0 AND i.total <= (
               SELECT sum(b.amount) FROM tenancy.allocations b
                WHERE b.tenant_id = $1 AND b.invoice_id = i.id AND (b.created_at, b.id) < (a.created_at, a.id)))))
     FROM tenancy.dunning_steps d JOIN tenancy.invoices i ON i.tenant_id = d.tenant_id AND i.id = d.invoice_id
     JOIN (${stillOwed}) w ON w.id = i.id
    WHERE d.tenant_id = $1 AND i.tenant_id = $1 AND i.subscription_id = ANY ($2) AND d.is_last GROUP BY i.subscription_id`,
  null,
)

/** Takes no further step about an invoice until it is told to go on. */
export async function pauseSteps(
  context: SubgraphContext,
  tx: Tx,
  { id, expectedVersion, reason }: { id: string; expectedVersion: number; reason: string },
): Promise<Invoice> {
  const { status, dunningPausedAt } = await tx.find(Invoice, id)
  if (status !== 'ISSUED' && status !== 'PARTLY_PAID')
    tx.fail('INVALID_STATUS', `This invoice is ${status}: nobody is reminded of it`, 'id')
  if (dunningPausedAt !== null) tx.fail('INVALID_STATUS', 'Nobody is reminded of this invoice already', 'id')
  requireReason(tx, reason)
  const changes = { dunningPausedAt: context.clock.now().toISOString(), dunningPauseReason: reason }
  return tx.update(Invoice, id, expectedVersion, changes)
}

/** Goes on with the steps; the days between count for none of them. */
export async function resumeSteps(
  context: SubgraphContext,
  tx: Tx,
  { id, expectedVersion }: { id: string; expectedVersion: number },
): Promise<Invoice> {
  const { dunningPausedAt, dunningPausedDays, dueDate, status } = await tx.find(Invoice, id)
  if (dunningPausedAt === null || (status !== 'ISSUED' && status !== 'PARTLY_PAID'))
    return tx.fail(
      'INVALID_STATUS',
      'Nothing is paused: this invoice is reminded of, or nothing of it is owed',
      'id',
    )
  const pausedOn = dunningPausedAt.slice(0, 10)
  // What was paused before it was due took nothing away.
  const from = dueDate !== null && dueDate > pausedOn ? dueDate : pausedOn
  return tx.update(Invoice, id, expectedVersion, {
    ...{ dunningPausedAt: null, dunningPauseReason: null },
    dunningPausedDays: dunningPausedDays + daysBetween(from, todayOf(context)),
  })
}
