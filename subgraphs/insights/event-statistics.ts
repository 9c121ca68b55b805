import type { SubgraphContext } from '../../kernel/context'
import { badUserInput } from '../../kernel/errors'
import { prepared, Parameters } from '../../kernel/statement'
import type { QueryEventCountsArgs, QueryEventFunnelArgs } from './generated'

const day = 86_400_000
const mostDays = 400
const mostDaysOfHours = 31
const mostSpans = 10_000

function requireRange(from: string, to: string, days: number): void {
  const length = Date.parse(to) - Date.parse(from)
  if (length <= 0) throw badUserInput('to: give an instant after from')
  if (length > days * day) throw badUserInput(`to: at most ${days} days after from`)
}

const keys = { NAME: 'e.name', EVENT_TYPE: 'e.event_type', SOURCE: 'e.source' } as const

/**
 * Counts events by span of a time zone and by key, in one statement. A day is as long as it is there: 23 or 25 hours when
 * the clocks change. Throws BAD_USER_INPUT for a range that is empty or too long, and for too many spans.
 */
export async function eventCounts(
  context: SubgraphContext,
  { by = 'NAME', interval = 'DAY', timeZone = 'UTC', from, to, names }: QueryEventCountsArgs,
) {
  requireRange(from, to, interval === 'HOUR' ? mostDaysOfHours : mostDays)
  if (names && names.length > 50) throw badUserInput('names: give 50 at most')
  const unit = interval.toLowerCase()
  // Hours are as long everywhere; the end of a longer span is the beginning of the next on the clocks of the zone.
  const end =
    interval === 'HOUR'
      ? "start + interval '1 hour'"
      : `((start AT TIME ZONE $2) + interval '1 ${unit}') AT TIME ZONE $2`
  const text = `SELECT key, start, ${end}, count FROM (
    SELECT ${keys[by]} AS key, date_trunc('${unit}', e.occurred_at, $2) AS start, count(*)::int AS count
      FROM insights.analytics_events e
     WHERE e.tenant_id = $1 AND e.occurred_at >= $3 AND e.occurred_at < $4 AND ($5::text[] IS NULL OR e.name = ANY ($5))
     GROUP BY 1, 2 ORDER BY 2, 1 LIMIT ${mostSpans + 1}) counted ORDER BY start, key`
  const values = [context.binding.tenantId, timeZone, from, to, names ?? null]
  const rows = await context.db.rows(context.binding, prepared(text, values))
  if (rows.length > mostSpans)
    throw badUserInput(
      `interval: there are more than ${mostSpans} counts: ask for longer spans, or for some names`,
    )
  return (rows as [string, string, string, number][]).map(([key, start, stop, count]) => ({
    ...{ key, start, end: stop, count },
  }))
}

/**
 * Counts who came to each step. For each time that somebody took the first step, every further one is the earliest that
 * follows; how far somebody came is the furthest of all of them. One statement. Throws BAD_USER_INPUT.
 */
export async function eventFunnel(
  context: SubgraphContext,
  { steps, within, by = 'USER', from, to }: QueryEventFunnelArgs,
) {
  requireRange(from, to, mostDays)
  if (steps.length < 2 || steps.length > 8) throw badUserInput('steps: give 2 to 8 names')
  if (within < 1 || within > 129_600) throw badUserInput('within: give 1 to 129,600 minutes')
  const actor = by === 'USER' ? 'user_id' : 'customer_id'
  const parameters = new Parameters()
  const tenant = parameters.add(context.binding.tenantId)
  const names = steps.map((name) => parameters.add(name))
  const minutes = parameters.add(within)
  const [start, stop] = [parameters.add(from), parameters.add(to)]
  const next = names.slice(1).map(
    (name, place) => `LEFT JOIN LATERAL (SELECT min(e.occurred_at) AS at FROM insights.analytics_events e
      WHERE e.tenant_id = ${tenant} AND e.${actor} = s1.actor AND e.name = ${name} AND e.occurred_at > s${place + 1}.at
        AND e.occurred_at <= s1.at + make_interval(mins => ${minutes}::int)) s${place + 2} ON true`,
  )
  const counts = names.map(
    (_, place) => `count(DISTINCT s1.actor) FILTER (WHERE s${place + 1}.at IS NOT NULL)::int`,
  )
  const text = `SELECT ${counts.join(', ')} FROM (SELECT e.${actor} AS actor, e.occurred_at AS at
      FROM insights.analytics_events e WHERE e.tenant_id = ${tenant} AND e.name = ${names[0]} AND e.${actor} IS NOT NULL
        AND e.occurred_at >= ${start} AND e.occurred_at < ${stop}) s1 ${next.join(' ')}`
  const [row] = await context.db.rows(context.binding, prepared(text, parameters.values))
  return steps.map((name, place) => ({ name, count: row![place] as number }))
}
