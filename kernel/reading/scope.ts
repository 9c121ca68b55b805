import type { SubgraphContext } from '../context'
import type { ColumnModel, EntityModel } from '../schema/entity-model'
import { badUserInput, unauthenticated } from '../errors'
import { isUuid } from '../id'
import type { Parameters } from '../statement'

/** Values that the code fixes: null means "is null", a list one of its elements. */
export type Equalities = Readonly<Record<string, unknown>>

/** Refuses what is no id before PostgreSQL would, so that the error names the field. */
export function requireIds(column: ColumnModel, values: readonly unknown[], place = column.property): void {
  if (column.type !== 'uuid') return
  for (const value of values)
    if (!isUuid(String(value))) throw badUserInput(`${place}: "${value}" is not an id`)
}

/** Conditions of equality with fixed values over table alias `t`. Throws BAD_USER_INPUT for an id that is none. */
export function equalities(model: EntityModel, values: Equalities, parameters: Parameters): string[] {
  return Object.entries(values).map(([property, value]) => {
    const column = model.columns.get(property)
    if (!column) throw new Error(`${property} is no column of ${model.name}`)
    const name = `t.${column.sql}`
    if (value === undefined) throw new Error(`${property} of ${model.name} is compared with no value`)
    if (value === null) return `${name} IS NULL`
    requireIds(column, [value].flat())
    return Array.isArray(value)
      ? `${name} = ANY(${parameters.add(value)})`
      : `${name} = ${parameters.add(value)}`
  })
}

/**
 * Returns what every read of an entity carries: the tenant (also enforced by row level security; said again because it
 * prunes partitions and survives the loss of the policy), what was deleted softly or has lapsed, and the viewer's row rule.
 */
export function scopeConditions(
  context: SubgraphContext,
  model: EntityModel,
  parameters: Parameters,
): string[] {
  const conditions: string[] = []
  if (model.tenantOwned) conditions.push(`t."tenant_id" = ${parameters.add(context.binding.tenantId)}`)
  if (model.softDeleted) conditions.push(`t."deleted_at" IS NULL`)
  if (model.lapses) {
    const now = parameters.add(context.clock.now().toISOString())
    conditions.push(`(t."lapses_at" IS NULL OR t."lapses_at" > ${now}::timestamptz)`)
  }
  const alternatives = model.rowFilter?.(context) ?? null
  if (alternatives) {
    const admitted = alternatives.map(
      (filter) => `(${equalities(model, filter, parameters).join(' AND ') || 'true'})`,
    )
    conditions.push(admitted.length > 0 ? `(${admitted.join(' OR ')})` : 'false')
  }
  return conditions
}

/** Throws UNAUTHENTICATED when a tenant's rows are asked for and nobody is signed in. */
export function requireTenant(context: SubgraphContext, model: EntityModel): void {
  if (model.tenantOwned && !context.binding.tenantId) throw unauthenticated()
}
