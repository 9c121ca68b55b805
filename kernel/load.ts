import type { GraphQLResolveInfo } from 'graphql'
import { requestBatch } from './reading/batch'
import type { SubgraphContext } from './context'
import type { EntityClass } from './entity'
import { modelOf, type EntityModel, type Projection } from './schema/entity-model'
import { selectedProjection } from './reading/projection'
import { badUserInput } from './errors'
import { requireTenant, scopeConditions } from './reading/scope'
import type { Statement } from './connection/database'
import { instantOf, isUuid } from './id'
import { joinedRows } from './reading/join'
import { readableRows } from './reading/readable-rows'
import { rejected, SyncPromise } from './execution/sync-promise'
import { prepared, Parameters } from './statement'

/**
 * Limits a look-up to the months of its ids where the table is partitioned by time: its ids name the time, too. Null when no
 * id can be one of the table's.
 */
function instantConditions(
  model: EntityModel,
  ids: readonly string[],
  parameters: Parameters,
): string[] | null {
  if (!model.instantKey) return []
  const instants = ids.flatMap((id) => instantOf(id) ?? []).sort()
  if (instants.length === 0) return null
  const [first, last] = [parameters.add(instants[0]), parameters.add(instants.at(-1))]
  return [`t.${model.instantKey.sql} BETWEEN ${first} AND ${last}`]
}

async function rowsBy(
  context: SubgraphContext,
  model: EntityModel,
  property: string,
  projection: Projection,
  keys: readonly string[],
): Promise<(Record<string, unknown> | null)[]> {
  const statement = lookUp(context, model, property, projection, keys)
  const found = new Map<unknown, Record<string, unknown>>()
  const read = statement ? await context.db.rows(context.binding, statement) : []
  for (const row of await readableRows(context, model, projection, read)) found.set(row[property], row)
  return keys.map((key) => found.get(key) ?? null)
}

/** Null when no row can have one of the keys. */
function lookUp(
  context: SubgraphContext,
  model: EntityModel,
  property: string,
  projection: Projection,
  keys: readonly string[],
): Statement | null {
  const parameters = new Parameters()
  const conditions = scopeConditions(context, model, parameters)
  conditions.push(`t.${model.columns.get(property)!.sql} = ANY(${parameters.add(keys)})`)
  const instants = property === 'id' ? instantConditions(model, keys, parameters) : []
  if (!instants) return null
  const text = `SELECT ${projection.selectList} FROM ${model.table} t WHERE ${[...conditions, ...instants].join(' AND ')}`
  return prepared(joinedRows(context, projection, text, parameters), parameters.values)
}

/**
 * The row of an entity by its id, or null when there is none that this viewer's tenant owns: another tenant's row and
 * no row are the same answer. All look-ups of one tick with the same selection become one statement that reads only
 * the selected columns. Throws BAD_USER_INPUT when the id is not a UUID.
 */
export function load<E>(
  context: SubgraphContext,
  entity: EntityClass<E>,
  id: string | null | undefined,
  info: GraphQLResolveInfo,
): Promise<E | null> {
  return loadBy(context, entity, 'id' as keyof E & string, id, info)
}

const nothing = new SyncPromise<null>()
nothing.fulfill(null)

/** The row of an entity by another property that is unique within the tenant, or null. Batched like {@link load}. */
export function loadBy<E>(
  context: SubgraphContext,
  entity: EntityClass<E>,
  property: keyof E & string,
  value: string | null | undefined,
  info: GraphQLResolveInfo,
): Promise<E | null> {
  if (value === null || value === undefined) return nothing
  try {
    const model = modelOf(context, entity)
    const isId = model.columns.get(property)?.type === 'uuid'
    if (isId && !isUuid(value)) throw badUserInput(`"${value}" is not an id`)
    requireTenant(context, model)
    const projection = selectedProjection(model, info, undefined, [property], true)
    const find = requestBatch(
      context,
      property === 'id' ? projection : `row ${model.name} ${property} ${projection.key}`,
      (keys) => rowsBy(context, model, property, projection, keys),
    )
    return find(isId ? value.toLowerCase() : value) as SyncPromise<E | null>
  } catch (error) {
    return rejected(error)
  }
}
