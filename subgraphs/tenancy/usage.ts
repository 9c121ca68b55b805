import type { Statement } from '../../kernel/context'
import { prepared } from '../../kernel/statement'
import type { PlanSubscription } from './entities/PlanSubscription'
import { levelOf, meters, noReadings, usedOf, type Limits, type Meter, type Readings } from './rules/meters'
import { periodOn, type Period } from './rules/period'
import { spanOf } from './rules/proration'

/** Runs a statement of the tenant, inside of a transaction or not. */
export type Read = (statement: Statement) => Promise<unknown[][]>

/** Describes what of a subscription tells its periods and limits. */
export type MeteredSubscription = Pick<
  PlanSubscription,
  'id' | 'startDate' | 'endDate' | 'cancelledAt' | 'anchorDate' | 'billingInterval'
> & { limits: Limits }

// A correction has the instant of its reading, so it lies in the same range. One that leaves nothing takes the reading back.
const counted = `
  (SELECT u.meter, u.id, u.occurred_at, u.properties->>'subject' AS subject,
          u.quantity + COALESCE(c.quantity, 0) AS quantity, c.id AS corrected
     FROM tenancy.usage_records u
     LEFT JOIN (SELECT correction_of_id AS id, sum(quantity) AS quantity FROM tenancy.usage_records
                 WHERE tenant_id = $1 AND subscription_id = $2 AND occurred_at >= $3 AND occurred_at < $4
                   AND correction_of_id IS NOT NULL GROUP BY correction_of_id) c ON c.id = u.id
    WHERE u.tenant_id = $1 AND u.subscription_id = $2 AND u.occurred_at >= $3 AND u.occurred_at < $4
      AND u.correction_of_id IS NULL) r`
const isCounted = '(r.corrected IS NULL OR r.quantity > 0)'

// Each of the periods that end somewhere, with what lies in it until then.
const findReadings = `
  SELECT e.place::int, r.meter, sum(r.quantity)::text, max(r.quantity)::text,
         (array_agg(r.quantity ORDER BY r.occurred_at DESC, r.id DESC))[1]::text, max(r.occurred_at),
         count(DISTINCT r.subject)::int, count(*)::int
    FROM unnest($5::timestamptz[], $6::timestamptz[]) WITH ORDINALITY AS e (start, instant, place)
    JOIN ${counted} ON r.occurred_at >= e.start AND r.occurred_at < e.instant
   WHERE ${isCounted} GROUP BY e.place, r.meter`

const findSubjects = `SELECT DISTINCT r.subject FROM ${counted} WHERE ${isCounted} AND r.meter = $5 AND r.subject = ANY ($6)`

const rangeOf = (period: Period): string[] => {
  const { start, end } = spanOf(period)
  return [new Date(start).toISOString(), new Date(end).toISOString()]
}

/** Returns what the readings of a subscription within a period tell, by meter: counted from the rows, corrections included. */
export async function readingsOf(
  read: Read,
  tenantId: string,
  subscriptionId: string,
  period: Period,
): Promise<Map<Meter, Readings>> {
  const [all] = await readingsUntil(read, tenantId, subscriptionId, [{ period, until: rangeOf(period)[1]! }])
  return all!
}

/** Returns the same of some periods, each until an instant within it, ISO 8601, in their order; in one statement. */
export async function readingsUntil(
  read: Read,
  tenantId: string,
  subscriptionId: string,
  marks: readonly { period: Period; until: string }[],
): Promise<Map<Meter, Readings>[]> {
  const starts = marks.map(({ period }) => rangeOf(period)[0]!)
  const untils = marks.map(({ until }) => until)
  // ISO instants in UTC are in order as texts. A correction has the instant of its reading, so it lies in the same period.
  const range = [[...starts].sort()[0], [...untils].sort().at(-1)]
  const values = [tenantId, subscriptionId, ...range, starts, untils]
  const rows = await read(prepared(findReadings, values))
  const found = marks.map(() => new Map<Meter, Readings>())
  for (const row of rows as [number, Meter, string, string, string, string, number, number][]) {
    const [place, meter, sum, most, last, lastAt, subjects, count] = row
    found[place - 1]!.set(meter, { sum, most, last, lastAt, subjects, count })
  }
  return found
}

/** Which of the given subjects a meter counts within a period already. */
export async function countedSubjects(
  read: Read,
  tenantId: string,
  use: { subscriptionId: string; period: Period; meter: Meter },
  subjects: readonly string[],
): Promise<Set<string>> {
  const values = [tenantId, use.subscriptionId, ...rangeOf(use.period), use.meter, subjects]
  return new Set((await read(prepared(findSubjects, values))).map(([subject]) => String(subject)))
}

/** The period of a subscription that a day lies in; the last one for a day after its end. */
export function periodOf(
  { startDate, anchorDate, billingInterval }: MeteredSubscription,
  day: string,
): Period {
  return periodOn(anchorDate ?? startDate, billingInterval, day)
}

/** A subscription from a row of its id, start, end, cancellation, anchor, interval and limits. */
export function meteredSubscription(row: readonly unknown[]): MeteredSubscription {
  const [id, startDate, endDate, cancelledAt, anchorDate, billingInterval, limits] = row
  return { id, startDate, endDate, cancelledAt, anchorDate, billingInterval, limits } as MeteredSubscription
}

/** Returns what was used of one meter, as the graph tells it. */
export function meterUsage(
  { id, limits }: Pick<MeteredSubscription, 'id' | 'limits'>,
  meter: Meter,
  readings: Readings | undefined,
  period: Period,
) {
  const used = usedOf(meter, readings ?? noReadings)
  const limit = limits[meter]
  return {
    subscriptionId: id,
    meter,
    used,
    limit: limit?.limit ?? null,
    level: limit ? levelOf(used, limit) : ('WITHIN' as const),
    periodStart: period.start,
    periodEnd: period.end,
  }
}

/** Returns what was used of all meters within the period of a day. */
export async function usageOn(
  read: Read,
  tenantId: string,
  subscription: MeteredSubscription,
  day: string,
): Promise<ReturnType<typeof meterUsage>[]> {
  const period = periodOf(subscription, day)
  const readings = await readingsOf(read, tenantId, subscription.id, period)
  return meters.map((meter) => meterUsage(subscription, meter, readings.get(meter), period))
}
