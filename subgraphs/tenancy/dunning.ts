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
  SELECT revision, currency, levels FROM tenancy.dunning_policies WHERE tenant_id = $1 ORDER BY revision DESC LIMIT 1`

/** The policy that holds for the tenant: the last that was decided, else the standard one. */
export async function findPolicy(context: SubgraphContext, tx: Tx): Promise<DunningPolicy> {
  const [row] = await tx.rows(prepared(findLatest, [context.binding.tenantId]))
  if (!row) return standardPolicy
  const [, currency, levels] = row as [number, string | null, DunningLevel[]]
  return { currency, levels }
}

/** Decides which steps are taken from here on; fails with INVALID for levels that cannot be followed. */
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
  return tx.insert(StoredPolicy, { revision: Number(row?.[0] ?? 0) + 1, currency, levels })
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

/** Instant since which a subscription is past due: that of the last step about an invoice of it that is still not paid. */
export const pastDueSince = valueByKey<string | null>(
  `SELECT i.subscription_id, min(d.created_at) FROM tenancy.dunning_steps d
     JOIN tenancy.invoices i ON i.tenant_id = d.tenant_id AND i.id = d.invoice_id
    WHERE d.tenant_id = $1 AND i.tenant_id = $1 AND i.subscription_id = ANY ($2) AND d.is_last
      AND i.status IN ('ISSUED', 'PARTLY_PAID') GROUP BY i.subscription_id`,
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
