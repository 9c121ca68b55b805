import type { Statement } from '../connection/database'
import { rulesAt, steps } from '../retention/plan'
import { prepared } from '../statement'
import { nothing, type Collector } from './collectors'
import type { SubjectType } from './personal-rows'

type Send = (statement: Statement) => Promise<unknown[][]>

export interface Subject {
  type: SubjectType
  id: string
}

/** Rows that stay, why, until which day, and what becomes of them then. */
export interface KeptCount {
  rows: number
  reason: string
  /** Null while nobody knows it: as long as a hold or their use lasts. */
  until: string | null
  /** By retention they are REMOVED, by a later pass of the same request EMPTIED; some stay for good. */
  then: 'REMOVED' | 'EMPTIED' | 'STAYS'
}

/** The outcome, done or foretold, for the rows of one type. */
export interface Outcome {
  type: string
  erased: number
  kept: KeptCount[]
}

interface Plan extends Outcome {
  collector: Collector
  /** SQL of the rows to empty, and its values: those that are found, not kept, and hold something. */
  due: { condition: string; values: unknown[] }
}

/** The reason given of rows that somebody holds. */
export const heldReason = 'Legal hold'
/** The reason given of rows of which nothing names a person, besides the reference to one. */
const unnamed = 'Nothing in it is about the person but the reference'

/**
 * Decides of each row about somebody whether it is emptied: hold beats retention beats erasure. Who holds the person holds every row
 * found for the person. What a hold keeps stays true until the end of a transaction that waited for holds (`shareHolds`).
 * @param at the instant by which times are over
 * @param madeUntil of a later pass: rows that were made afterwards were never asked to go; null for all rows
 */
export async function planErasure(
  send: Send,
  tenantId: string,
  collectors: readonly Collector[],
  subjects: readonly Subject[],
  at: string,
  madeUntil: string | null = null,
): Promise<Plan[]> {
  const rules = await rulesAt(send, tenantId, at)
  const plans: Plan[] = []
  for (const collector of collectors) {
    const { model, about, held, kept, emptied, isEmpty } = collector
    // A person may be a customer and a user, and a row about both.
    const ways = subjects.flatMap(({ type, id }) => {
      const found = about.get(type)
      return found ? [{ type, id, found }] : []
    })
    if (ways.length === 0) continue
    const alternatives = ways.map(({ found }, place) => found.replaceAll('$2', `$${place + 2}`))
    const holds = ways.map(
      (
        { type },
        place,
      ) => `(${alternatives[place]} AND EXISTS (SELECT FROM shared.held_subjects h WHERE h.tenant_id = $1
        AND h.released_at IS NULL AND h.resource_type = '${type}' AND h.resource_id = $${place + 2}))`,
    )
    const values: unknown[] = [tenantId, ...ways.map(({ id }) => id), at, madeUntil]
    const [now, last] = [`$${values.length - 1}::timestamptz`, `$${values.length}::timestamptz`]
    const { keepFor, unit } = kept?.dataClass ? rules(kept.dataClass) : { keepFor: 0, unit: 'DAY' as const }
    const span = `make_interval(${steps[unit]} => ${Math.trunc(keepFor)})`
    const until = kept
      ? `((${kept.startsAt})::timestamptz AT TIME ZONE 'UTC' + ${span}) AT TIME ZONE 'UTC'`
      : 'NULL::timestamptz'
    const stays = kept ? (kept.isRemoved ? 'true' : `coalesce(${until} > ${now}, true)`) : 'false'
    const isHeld = `(${[held, ...holds].join(' OR ')})`
    const made = model.columns.get('createdAt') ?? model.instantKey
    const bound = made ? `AND (${last} IS NULL OR t.${made.sql} <= ${last})` : `AND (${last} IS NULL OR true)`
    const found = `t.tenant_id = $1 AND (${alternatives.join(' OR ')}) ${bound} AND ${now} IS NOT NULL`
    // Of what retention removes the last day is told, of what a later pass empties each.
    const days = kept?.isRemoved ? 'NULL' : 'day'
    const counted = `SELECT held, stays, gone, max(day), count(*)::int FROM (SELECT ${isHeld} AS held, ${stays} AS stays, ${isEmpty} AS gone,
        to_char((${until}) AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day FROM ${model.table} t WHERE ${found}) AS counted
      GROUP BY held, stays, gone, day IS NULL, ${days}::text`
    const groups = await send(prepared(counted, values))
    if (groups.length === 0) continue
    const condition = `${found} AND NOT ${isHeld} AND NOT ${stays} AND NOT ${isEmpty}`
    const plan: Plan = { collector, type: model.name, erased: 0, kept: [], due: { condition, values } }
    const then = kept?.isRemoved ? 'REMOVED' : 'EMPTIED'
    const keep = (rows: number, reason: string, end: string | null, what: KeptCount['then']) => {
      const known = plan.kept.find((one) => one.reason === reason && one.until === end)
      if (known) known.rows += rows
      else plan.kept.push({ rows, reason, until: end, then: what })
    }
    for (const [rowsHeld, rowsStay, rowsGone, end, count] of groups) {
      const rows = Number(count)
      const day = end as string | null
      if (emptied.length === 0) keep(rows, unnamed, null, 'STAYS')
      else if (rowsGone && !kept?.isRemoved) continue
      else if (rowsHeld) keep(rows, heldReason, null, then)
      else if (rowsStay) keep(rows, kept!.reason, day, then)
      else plan.erased += rows
    }
    plans.push(plan)
  }
  return plans
}

/** The ids of the rows that a plan empties, which are locked. All plans' are read before any row is emptied: one leads to another. */
export async function idsToEmpty(send: Send, { collector, due }: Plan): Promise<string[]> {
  const { model, emptied, kept, empty: own } = collector
  if (emptied.length === 0) return []
  // Whoever may not change rows may not lock them; what retention removes is never emptied.
  const lock = kept?.isRemoved || own ? '' : 'FOR UPDATE'
  const text = `SELECT t.id FROM ${model.table} t WHERE ${due.condition} ORDER BY t.id ${lock}`
  return (await send(prepared(text, due.values))).map(([id]) => String(id))
}

/** Empties rows: a statement for their type, and those that its subgraph names. */
export async function empty(
  send: Send,
  tenantId: string,
  { model, emptied, before, empty: own }: Collector,
  ids: readonly string[],
  at: string,
): Promise<void> {
  const run = (statement: string) =>
    send(prepared(statement, statement.includes('$3') ? [tenantId, ids, at] : [tenantId, ids]))
  for (const statement of before) await run(statement)
  const set = emptied.map((column) => `${column.sql} = ${nothing(column)}`)
  if (model.columns.has('version')) set.push('version = version + 1')
  if (model.columns.has('updatedAt')) set.push('updated_at = now()')
  const update = `UPDATE ${model.table} SET ${set.join(', ')} WHERE tenant_id = $1 AND id = ANY ($2)`
  await run(own ?? update)
  if (model.isErasable)
    for (const id of ids) await send(prepared('SELECT shared.destroy_subject_key($1)', [id]))
}
