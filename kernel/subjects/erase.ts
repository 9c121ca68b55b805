import type { Statement } from '../connection/database'
import { heldSql, rulesAt, steps } from '../retention/plan'
import { prepared } from '../statement'
import type { ColumnModel } from '../schema/entity-model'
import type { Collector } from './collectors'
import type { SubjectType } from './personal-rows'

type Send = (statement: Statement) => Promise<unknown[][]>

export interface Subject {
  type: SubjectType
  id: string
}

/** Rows that stay, why, and until when; null for as long as a hold, or the use of what they are about, lasts. */
export interface KeptCount {
  rows: number
  reason: string
  until: string | null
}

/** The outcome, done or foretold, for the rows of one type. */
export interface Outcome {
  type: string
  erased: number
  kept: KeptCount[]
}

interface Plan extends Outcome {
  collector: Collector
  ids: string[]
}

/**
 * Decides of each row about somebody whether it is emptied: hold beats retention beats erasure. What a hold keeps stays true until
 * the end of a transaction that waited for holds (`shareHolds`).
 */
export async function planErasure(
  send: Send,
  tenantId: string,
  collectors: readonly Collector[],
  subjects: readonly Subject[],
  at: string,
): Promise<Plan[]> {
  const rules = await rulesAt(send, tenantId, at)
  const plans: Plan[] = []
  for (const collector of collectors) {
    const { model, about, holders, kept, emptied } = collector
    if (emptied.length === 0) continue
    const { keepFor, unit } = kept?.dataClass ? rules(kept.dataClass) : { keepFor: 0, unit: 'DAY' as const }
    const span = `make_interval(${steps[unit]} => ${Math.trunc(keepFor)})`
    const until = kept
      ? `((${kept.startsAt})::timestamptz AT TIME ZONE 'UTC' + ${span}) AT TIME ZONE 'UTC'`
      : 'NULL::timestamptz'
    const held = heldSql({ resourceType: model.name, about: holders })
    // Whoever may not change rows may not lock them; what retention removes is never emptied.
    const lock = kept?.isRemoved || collector.empty ? '' : 'FOR UPDATE'
    // A person may be a customer and a user, and a row about both.
    const rows = new Map<string, unknown[]>()
    for (const { type, id } of subjects) {
      const found = about.get(type)
      if (!found) continue
      const text = `SELECT t.id, ${held}, ${until} FROM ${model.table} t WHERE t.tenant_id = $1 AND ${found} ORDER BY t.id ${lock}`
      for (const row of await send(prepared(text, [tenantId, id]))) rows.set(String(row[0]), row)
    }
    const plan: Plan = { collector, type: model.name, erased: 0, kept: [], ids: [] }
    const keep = (reason: string, end: string | null) => {
      const known = plan.kept.find((one) => one.reason === reason && one.until === end)
      if (known) known.rows += 1
      else plan.kept.push({ rows: 1, reason, until: end })
    }
    for (const [id, isHeld, end] of rows.values()) {
      const day = end === null ? null : new Date(end as string).toISOString().slice(0, 10)
      if (isHeld) keep('Legal hold', null)
      else if (kept && (kept.isRemoved || day === null || Date.parse(end as string) > Date.parse(at)))
        keep(kept.reason, day)
      else plan.ids.push(String(id))
    }
    if (rows.size > 0) plans.push({ ...plan, erased: plan.ids.length })
  }
  return plans
}

/** The value of a column once its row is emptied. */
function nothing({ type, nullable, text }: ColumnModel): string {
  if (nullable) return 'NULL'
  if (type === 'jsonb') return `'{}'`
  if (type.endsWith('[]')) return `'{}'`
  return text === 'email' ? `id || '@erased.invalid'` : `'erased'`
}

/** Empties the rows of a plan: a statement for a type, and those that its subgraph names. */
export async function empty(
  send: Send,
  tenantId: string,
  { collector, ids }: Pick<Plan, 'collector' | 'ids'>,
  at: string,
): Promise<void> {
  const { model, emptied, before, empty: own } = collector
  const run = (text: string) =>
    send(prepared(text, text.includes('$3') ? [tenantId, ids, at] : [tenantId, ids]))
  for (const text of before) await run(text)
  const set = emptied.map((column) => `${column.sql} = ${nothing(column)}`)
  if (model.columns.has('version')) set.push('version = version + 1')
  if (model.columns.has('updatedAt')) set.push('updated_at = now()')
  const update = `UPDATE ${model.table} SET ${set.join(', ')} WHERE tenant_id = $1 AND id = ANY ($2)`
  await run(own ?? update)
  if (model.isErasable)
    for (const id of ids) await send(prepared('SELECT shared.destroy_subject_key($1)', [id]))
}
