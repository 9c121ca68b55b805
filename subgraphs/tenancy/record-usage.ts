import { isDeepStrictEqual } from 'node:util'
import type { SubgraphContext } from '../../kernel/context'
import type { UserError } from '../../kernel/errors'
import { isUuid, uuidv7 } from '../../kernel/id'
import type { MutationTransaction } from '../../kernel/mutate'
import { insertStatements, prepared } from '../../kernel/statement'
import type { UsageRecord } from './entities/UsageRecord'
import type { RecordUsageInput, TenancyUserErrorCode } from './generated'
import { scaled, unscaled } from './rules/decimal'
import { isQuantity, quantityDecimals, readingFault } from './rules/meters'
import { termEnd } from './rules/subscription'
import { UsageWithinLimits } from './usage-within-limits'
import { meteredSubscription, periodOf, type MeteredSubscription } from './usage'

type Tx = MutationTransaction<TenancyUserErrorCode>

/** Describes what became of a reading: the row that is there, or why there is none. */
export type Recorded =
  { usageRecord: UsageRecord; error: null } | { usageRecord: null; error: UserError<TenancyUserErrorCode> }

/** A reading as it is to be stored; `place` among those that were sent. */
interface Reading {
  place: number
  row: UsageRecord
}

const findSubscriptions = `
  SELECT id, start_date::text, end_date::text, cancelled_at, anchor_date::text, billing_interval, limits
    FROM tenancy.subscriptions WHERE tenant_id = $1 AND id = ANY ($2)`
// Whoever else is about to use up what is left waits here, and counts this reading then.
const lockSubscriptions = `
  SELECT id FROM tenancy.subscriptions WHERE tenant_id = $1 AND id = ANY ($2) ORDER BY id FOR UPDATE`
const columns =
  'id, subscription_id, meter, quantity::text, occurred_at, source, external_id, correction_of_id, properties, recorded_at'
const findKnown = `
  SELECT ${columns} FROM tenancy.usage_records
   WHERE tenant_id = $1 AND source = ANY ($2) AND external_id = ANY ($3)`

const sumOfCorrections = `
  SELECT COALESCE(sum(quantity), 0)::text FROM tenancy.usage_records WHERE tenant_id = $1 AND correction_of_id = $2`

const keyLengths = [
  ['source', 100],
  ['externalId', 200],
] as const

const keyOf = ({ source, externalId }: Pick<UsageRecord, 'source' | 'externalId'>) =>
  JSON.stringify([source, externalId])

/**
 * Records readings, each by itself: what was sent before gives its first row, another reading under its key is a DUPLICATE, and
 * what a limit or a rule refuses says why. As many statements for 500 as for one, but for one more by period.
 * @param inputs in which no field is null
 */
export async function recordReadings(
  context: SubgraphContext,
  tx: Tx,
  inputs: readonly RecordUsageInput[],
): Promise<{ results: Recorded[]; uses: UsageWithinLimits }> {
  const subscriptions = await readSubscriptions(context, tx, inputs)
  const limited = [...subscriptions.values()].filter(({ id, limits }) =>
    inputs.some(({ subscriptionId, meter }) => subscriptionId.toLowerCase() === id && limits[meter]),
  )
  const tenantId = context.binding.tenantId!
  if (limited.length > 0) await tx.rows(prepared(lockSubscriptions, [tenantId, limited.map(({ id }) => id)]))
  const known = await readKnown(context, tx, inputs)
  const results: Recorded[] = []
  const fresh: Reading[] = []
  const uses = new UsageWithinLimits((statement) => tx.rows(statement), tenantId, inputs)
  for (const [place, input] of inputs.entries()) {
    const row = rowOf(context, input)
    const former = known.get(keyOf(row))
    const subscription = subscriptions.get(row.subscriptionId)
    const fault = former ? null : await faultOf(context, row, subscription, uses)
    results[place] = former ? sameOrDuplicate(former, row) : (fault ?? { usageRecord: row, error: null })
    if (former || fault) continue
    known.set(keyOf(row), row)
    fresh.push({ place, row })
  }
  await insertReadings(context, tx, fresh, results)
  for (const { subscriptionId, meter, level } of uses.crossed())
    tx.emit(
      `tenancy.usage-${level === 'NEAR' ? 'near-limit' : 'limit-reached'}`,
      {
        type: 'PlanSubscription',
        id: subscriptionId,
      },
      { meter },
    )
  return { results, uses }
}

async function readSubscriptions(context: SubgraphContext, tx: Tx, inputs: readonly RecordUsageInput[]) {
  const ids = [...new Set(inputs.map(({ subscriptionId }) => subscriptionId.toLowerCase()).filter(isUuid))]
  const rows = await tx.rows(prepared(findSubscriptions, [context.binding.tenantId, ids]))
  return new Map(rows.map((row): [string, MeteredSubscription] => [String(row[0]), meteredSubscription(row)]))
}

/** The rows that are there under the keys of readings. */
async function readKnown(
  context: SubgraphContext,
  tx: Tx,
  keys: readonly Pick<UsageRecord, 'source' | 'externalId'>[],
): Promise<Map<string, UsageRecord>> {
  const lists = [keys.map(({ source }) => source), keys.map(({ externalId }) => externalId)]
  const { tenantId } = context.binding
  const rows = await tx.rows(prepared(findKnown, [tenantId, ...lists]))
  return new Map(
    rows.map((values) => {
      const row = storedRow(context, values)
      return [keyOf(row), row]
    }),
  )
}

function storedRow({ binding: { tenantId } }: SubgraphContext, values: readonly unknown[]): UsageRecord {
  const [id, subscriptionId, meter, quantity, occurredAt, source, externalId, ...others] = values
  const [correctionOfId, properties, recordedAt] = others
  const row = { tenantId, id, subscriptionId, meter, quantity, occurredAt, source, externalId }
  return { ...row, correctionOfId, properties, recordedAt } as UsageRecord
}

function rowOf(context: SubgraphContext, input: RecordUsageInput): UsageRecord {
  const now = context.clock.now()
  return {
    tenantId: context.binding.tenantId!,
    id: uuidv7(now.getTime()),
    subscriptionId: input.subscriptionId.toLowerCase(),
    meter: input.meter,
    // The schema gives the default; the generated type does not know.
    quantity: input.quantity ?? '1',
    occurredAt: input.occurredAt,
    source: input.source,
    externalId: input.externalId,
    correctionOfId: null,
    properties: input.properties ?? {},
    recordedAt: now.toISOString(),
  }
}

const refusal = (code: TenancyUserErrorCode, field: string, message: string): Recorded => ({
  usageRecord: null,
  error: { code, field: [field], message },
})

const duplicate = refusal(
  'DUPLICATE',
  'externalId',
  'Something else was recorded under this key of this source: choose another key',
)

/** The former row where the reading is the same, wherever it was written; otherwise the refusal. */
function sameOrDuplicate(former: UsageRecord, row: UsageRecord): Recorded {
  const isSame =
    former.subscriptionId === row.subscriptionId &&
    former.meter === row.meter &&
    former.correctionOfId === row.correctionOfId &&
    scaled(former.quantity, quantityDecimals) === scaled(row.quantity, quantityDecimals) &&
    Date.parse(former.occurredAt) === Date.parse(row.occurredAt) &&
    isDeepStrictEqual(former.properties, row.properties)
  if (isSame) return { usageRecord: former, error: null }
  return duplicate
}

function keyFault(row: UsageRecord): Recorded | null {
  for (const [field, most] of keyLengths)
    if (row[field] === '' || [...row[field]].length > most)
      return refusal('INVALID', field, `${field} must have 1 to ${most} characters`)
  return null
}

async function faultOf(
  context: SubgraphContext,
  row: UsageRecord,
  subscription: MeteredSubscription | undefined,
  uses: UsageWithinLimits,
): Promise<Recorded | null> {
  if (!subscription)
    return refusal('REFERENCE_NOT_FOUND', 'subscriptionId', 'There is no subscription with this id')
  const wrongKey = keyFault(row)
  if (wrongKey) return wrongKey
  const fault = readingFault(row, context.clock.now().getTime())
  if (fault) return refusal('INVALID', fault.field, `${fault.field} ${fault.message}`)
  const day = new Date(row.occurredAt).toISOString().slice(0, 10)
  const end = termEnd(subscription)
  if (day < subscription.startDate || (end !== null && new Date(row.occurredAt) >= end))
    return refusal('INVALID', 'occurredAt', 'occurredAt must lie within the term of the subscription')
  const limit = await uses.refusal(subscription, periodOf(subscription, day), row)
  return limit === null ? null : refusal('LIMIT_REACHED', 'quantity', limit)
}

/** Adds the rows; one that somebody else added meanwhile under the same key is judged as a former one. */
async function insertReadings(
  context: SubgraphContext,
  tx: Tx,
  fresh: readonly Reading[],
  results: Recorded[],
): Promise<void> {
  // In the order of keys, so that two batches with the same readings wait for each other once.
  const ordered = [...fresh].sort((a, b) => (keyOf(a.row) < keyOf(b.row) ? -1 : 1))
  const lists = ordered.map(({ row }) => [
    ...[row.id, row.subscriptionId, row.meter, row.quantity, row.occurredAt, row.source, row.externalId],
    ...[row.correctionOfId, JSON.stringify(row.properties), row.recordedAt],
  ])
  const names = `id, subscription_id, meter, quantity, occurred_at, source, external_id, correction_of_id, properties, recorded_at`
  const into = `INSERT INTO tenancy.usage_records (${names})`
  const after = 'ON CONFLICT (tenant_id, source, external_id) DO NOTHING RETURNING id'
  const added = new Set<unknown>()
  for (const statement of insertStatements(into, lists, { after }))
    for (const [id] of await tx.rows(statement)) added.add(id)
  const taken = ordered.filter(({ row }) => !added.has(row.id))
  const former =
    taken.length > 0
      ? await readKnown(
          context,
          tx,
          taken.map(({ row }) => row),
        )
      : new Map<string, UsageRecord>()
  for (const { place, row } of taken) results[place] = sameOrDuplicate(former.get(keyOf(row))!, row)
  for (const { row } of ordered) {
    if (!added.has(row.id)) continue
    const { tenantId: _, ...values } = row
    tx.audit({
      action: 'CREATE',
      resourceType: 'UsageRecord',
      resourceId: row.id,
      changes: { after: values },
    })
    tx.emit('created', { type: 'UsageRecord', id: row.id }, { fields: Object.keys(values) })
  }
}

async function readReading(context: SubgraphContext, tx: Tx, id: string): Promise<UsageRecord | null> {
  if (!isUuid(id)) return null
  const text = `SELECT ${columns} FROM tenancy.usage_records WHERE tenant_id = $1 AND id = $2`
  const [values] = await tx.rows(prepared(text, [context.binding.tenantId, id]))
  return values ? storedRow(context, values) : null
}

/** Describes what a reading should have been, by a key of the source that says so. */
export interface Correction {
  quantity: string
  source: string
  externalId: string
  reason: string
}

/**
 * Records a correction of a reading: a row of what is taken back, under the lock of the subscription, so that no two take
 * back the same. Sent again as it was, it gives the first answer.
 */
export async function recordCorrection(
  context: SubgraphContext,
  tx: Tx,
  id: string,
  { quantity, source, externalId, reason }: Correction,
): Promise<Recorded> {
  const { tenantId } = context.binding
  const reading = await readReading(context, tx, id)
  if (!reading) return refusal('NOT_FOUND', 'id', 'There is no record with this id')
  if (reading.correctionOfId)
    return refusal('INVALID_STATUS', 'id', `This is a correction itself: correct ${reading.correctionOfId}`)
  if ([...reason].length > 500) return refusal('INVALID', 'reason', 'reason must have at most 500 characters')
  await tx.rows(prepared(lockSubscriptions, [tenantId, [reading.subscriptionId]]))
  const [[taken] = ['0']] = (await tx.rows(prepared(sumOfCorrections, [tenantId, reading.id]))) as [string][]
  const known = (await readKnown(context, tx, [{ source, externalId }])).get(keyOf({ source, externalId }))
  const left = scaled(reading.quantity, quantityDecimals) + scaled(taken, quantityDecimals)
  const properties = { reason, quantity: unscaled(scaled(quantity, quantityDecimals), quantityDecimals) }
  if (known) {
    const isSame = known.correctionOfId === reading.id && isDeepStrictEqual(known.properties, properties)
    return isSame ? { usageRecord: known, error: null } : duplicate
  }
  const difference = scaled(quantity, quantityDecimals) - left
  if (!isQuantity(quantity) || difference >= 0n)
    return refusal(
      'INVALID',
      'quantity',
      `quantity must be less than ${unscaled(left, quantityDecimals)}, and not negative`,
    )
  const now = context.clock.now()
  const { subscriptionId, meter, occurredAt } = reading
  const row: UsageRecord = {
    ...{
      tenantId: tenantId!,
      id: uuidv7(now.getTime()),
      subscriptionId,
      meter,
      occurredAt,
      source,
      externalId,
    },
    ...{ quantity: unscaled(difference, quantityDecimals), correctionOfId: reading.id, properties },
    recordedAt: now.toISOString(),
  }
  const fault = keyFault(row)
  if (fault) return fault
  const results: Recorded[] = [{ usageRecord: row, error: null }]
  await insertReadings(context, tx, [{ place: 0, row }], results)
  return results[0]!
}
