import type { SubgraphContext } from '../context'
import type { ColumnModel, EntityModel } from '../entity'
import { badUserInput } from '../errors'
import { isUuid } from '../id'
import type { Parameters } from '../statement'

/** A filter as it arrives from the graph: entity properties with a value, a list, or a shared filter input. */
export type Filter = Readonly<Record<string, unknown>>

const comparisons: Readonly<Record<string, string>> = { eq: '=', gt: '>', gte: '>=', lt: '<', lte: '<=' }

/** `LIKE` pattern that finds the text literally: its wildcards are escaped. */
function literalPattern(text: string): string {
  return text.replace(/[\\%_]/g, (character) => `\\${character}`)
}

/** Refuses a value that the column's type could not hold, before PostgreSQL would, so the error names the field. */
function checked(column: ColumnModel, value: unknown): unknown {
  if (column.type === 'uuid' && !isUuid(String(value)))
    throw badUserInput(`${column.property}: "${value}" is not an id`)
  return value
}

/** The conditions of one filter field. A null value, like an omitted one, filters nothing. */
function fieldConditions(column: ColumnModel, value: unknown, parameters: Parameters): string[] {
  const name = `t.${column.sql}`
  if (value === null || value === undefined) return []
  if (Array.isArray(value))
    return [`${name} = ANY(${parameters.add(value.map((one) => checked(column, one)))})`]
  if (typeof value !== 'object') return [`${name} = ${parameters.add(checked(column, value))}`]
  return Object.entries(value).flatMap(([operator, operand]) => {
    if (operand === null || operand === undefined) return []
    if (operator === 'in') return fieldConditions(column, operand, parameters)
    if (operator === 'isNull') return [`${name} IS ${operand ? '' : 'NOT '}NULL`]
    if (operator === 'contains')
      return [`${name} ILIKE ${parameters.add(`%${literalPattern(String(operand))}%`)}`]
    if (operator === 'startsWith')
      return [`${name} ILIKE ${parameters.add(`${literalPattern(String(operand))}%`)}`]
    const comparison = comparisons[operator]
    if (!comparison)
      throw new Error(`filter operator ${operator} of ${column.property} is not known to the kernel`)
    return [`${name} ${comparison} ${parameters.add(checked(column, operand))}`]
  })
}

/**
 * SQL conditions of a filter over table alias `t`. A field named `search` looks for its text, ignoring case, in any
 * of the properties given as `searched`. Throws BAD_USER_INPUT for an id that is none.
 */
export function filterConditions(
  model: EntityModel,
  filter: Filter | null | undefined,
  parameters: Parameters,
  searched: readonly string[] = [],
): string[] {
  return Object.entries(filter ?? {}).flatMap(([property, value]) => {
    if (property === 'search' && searched.length > 0) {
      if (value === null || value === undefined || value === '') return []
      const pattern = parameters.add(`%${literalPattern(String(value))}%`)
      return [
        `(${searched.map((name) => `t.${model.columns.get(name)!.sql} ILIKE ${pattern}`).join(' OR ')})`,
      ]
    }
    const column = model.columns.get(property)
    if (!column) throw new Error(`filter field ${property} is no column of ${model.name}`)
    return fieldConditions(column, value, parameters)
  })
}

/** Equality with fixed values chosen by the code, where null means "is null". */
export function equalities(model: EntityModel, values: Filter, parameters: Parameters): string[] {
  return Object.entries(values).flatMap(([property, value]) => {
    const column = model.columns.get(property)
    if (!column) throw new Error(`${property} is no column of ${model.name}`)
    return value === null ? [`t.${column.sql} IS NULL`] : fieldConditions(column, value, parameters)
  })
}

/**
 * What every read of an entity carries: the tenant (also enforced by row level security; said again because it prunes
 * partitions and survives the loss of the policy), what was deleted softly, and the viewer's row rule.
 */
export function scopeConditions(
  context: SubgraphContext,
  model: EntityModel,
  parameters: Parameters,
): string[] {
  const conditions: string[] = []
  if (model.tenantOwned) conditions.push(`t."tenant_id" = ${parameters.add(context.binding.tenantId)}`)
  if (model.softDeleted) conditions.push(`t."deleted_at" IS NULL`)
  const alternatives = model.rowFilter?.(context) ?? null
  if (alternatives) {
    const admitted = alternatives.map(
      (filter) => `(${equalities(model, filter, parameters).join(' AND ') || 'true'})`,
    )
    conditions.push(admitted.length > 0 ? `(${admitted.join(' OR ')})` : 'false')
  }
  return conditions
}
