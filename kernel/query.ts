import type { GraphQLResolveInfo } from 'graphql'
import type { Statement } from './connection/database'
import type { SubgraphContext } from './context'
import type { EntityClass } from './entity'
import { modelOf, type EntityModel, type Projection } from './schema/entity-model'
import { rejected, type SyncPromise } from './execution/sync-promise'
import { requestBatch } from './reading/batch'
import { asMalformedCursor, connectionOf, type Connection } from './reading/connection'
import { joinedRows } from './reading/join'
import { readableRows } from './reading/readable-rows'
import { noteProperties } from './reading/recorded-conditions'
import { readPage, readSlice, type PageArguments } from './reading/page-request'
import { countLimit } from './reading/page-sql'
import { selectedFields, selectedProjection } from './reading/projection'
import { requireTenant, scopeConditions } from './reading/scope'
import { Parameters, prepared } from './statement'

export { requireNoNull } from './reading/filter'

type KeyValues = (context: SubgraphContext, keys: readonly string[]) => readonly unknown[]

const tenantAndKeys: KeyValues = (context, keys) => [context.binding.tenantId, keys]

/**
 * A value that SQL finds for a key: one statement for all keys of a level.
 * @param text selects key and value; `$1` is the tenant and `$2` the keys, or what `values` gives
 * @param missing the value of a key that no row has
 */
export function valueByKey<V>(
  text: string,
  missing: V,
  values: KeyValues = tenantAndKeys,
): (context: SubgraphContext, key: string) => Promise<V> {
  const batch = {}
  return (context, key) =>
    requestBatch<V>(context, batch, async (keys) => {
      const rows = await context.db.rows(context.binding, prepared(text, values(context, keys)))
      const found = new Map(rows as [string, V][])
      return keys.map((one) => found.get(one) ?? missing)
    })(key) as SyncPromise<V>
}

type KeyReader<R> = (context: SubgraphContext, key: string, info: GraphQLResolveInfo) => Promise<R>

/**
 * The row of an entity whose id SQL finds for a key, or null. One statement for all keys of a level reads the selected
 * columns, under the conditions that every read of the entity carries.
 * @param text selects key and id; `$1` is the tenant, `$2` the keys
 * @example rowByKey(Department, 'SELECT head_id, id FROM hr.departments WHERE tenant_id = $1 AND head_id = ANY ($2)')
 */
export function rowByKey<E>(entity: EntityClass<E>, text: string): KeyReader<E | null> {
  return keyReader<E, E | null>(entity, text, undefined, (rows) => rows[0] ?? null)
}

/** The rows of an entity whose ids SQL finds for a key, ordered by a property: otherwise as {@link rowByKey}. */
export function rowsByKey<E>(
  entity: EntityClass<E>,
  text: string,
  orderBy: keyof E & string,
): KeyReader<E[]> {
  return keyReader<E, E[]>(entity, text, orderBy, (rows) => rows)
}

function keyReader<E, R>(
  entity: EntityClass<E>,
  text: string,
  orderBy: string | undefined,
  pick: (rows: E[]) => R,
): KeyReader<R> {
  const batches = new WeakMap<Projection, object>()
  return (context, key, info) => {
    try {
      const model = modelOf(context, entity)
      requireTenant(context, model)
      const projection = selectedProjection(model, info, undefined, [orderBy ?? 'id'], true)
      const batch = batches.get(projection) ?? {}
      batches.set(projection, batch)
      return requestBatch<R>(context, batch, async (keys) => {
        const found = await rowsOfKeys(context, model, projection, text, orderBy, keys)
        return keys.map((one) => pick((found.get(one) ?? []) as E[]))
      })(key) as SyncPromise<R>
    } catch (error) {
      return rejected(error)
    }
  }
}

async function rowsOfKeys(
  context: SubgraphContext,
  model: EntityModel,
  projection: Projection,
  text: string,
  orderBy: string | undefined,
  keys: readonly string[],
): Promise<Map<unknown, Record<string, unknown>[]>> {
  const parameters = new Parameters()
  for (const value of tenantAndKeys(context, keys)) parameters.add(value)
  const conditions = ['t."id" = found.id', ...scopeConditions(context, model, parameters)]
  const order = (alias: string) => (orderBy ? `ORDER BY ${alias}.${model.columns.get(orderBy)!.sql}` : '')
  const rows =
    `SELECT found.key AS "key of row", ${projection.selectList} FROM (${text}) AS found (key, id) ` +
    `JOIN ${model.table} t ON ${conditions.join(' AND ')} ${order('t')}`
  const statement = prepared(
    joinedRows(context, projection, rows, parameters, order('page')),
    parameters.values,
  )
  const byKey = new Map<unknown, Record<string, unknown>[]>()
  const read = await context.db.rows(context.binding, statement)
  const readable = await readableRows(context, model, projection, read, 1)
  for (const [place, [key]] of read.entries()) {
    const found = byKey.get(key) ?? []
    found.push(readable[place]!)
    byKey.set(key, found)
  }
  return byKey
}

/** SQL that ranks rows, such as a search. */
export interface RankQuery<X extends string> {
  /** The same for equal ranks, and part of every cursor: one of another search is refused. */
  name: string
  /** Holds the properties that it looks into: what it finds, or that it finds nothing, tells their values. */
  searched: readonly string[]
  /** Selects ids and ranks after a position, which is null at the start: at most `limit` of them, best first. */
  find(after: { rank: string; id: string } | null, limit: number): Statement
  /** Selects the number of rows, counted to `limit`. */
  count(limit: number): Statement
  /**
   * SQL over table alias `t` that is read with each row of the page, by the property that gets it.
   * @param selected the fields that are selected of the edges
   */
  columns(parameters: Parameters, selected: ReadonlySet<string>): Readonly<Record<X, string>>
}

/**
 * A connection of the rows that SQL ranks. They are read under the viewer's own rights by a statement of their own, one more
 * counts when `totalCount` is selected. Throws BAD_USER_INPUT as `page` does.
 * @param edge the type of the connection's edges
 */
export async function rankedPage<E, X extends string>(
  context: SubgraphContext,
  entity: EntityClass<E>,
  args: PageArguments,
  info: GraphQLResolveInfo,
  edge: string,
  query: RankQuery<X>,
): Promise<Connection<E & { rank: number } & Record<X, unknown>>> {
  const limit = context.services.config.pageLimit
  const { model, projection, ...wanted } = readPage(context, entity, {}, info, {}, limit, { withJoins: true })
  const order = { name: query.name, keys: [{ column: { property: 'rank', nullable: false } }] }
  const placing = { ...readSlice(args, order, limit), order }
  const { position, size } = placing
  const rows = async (): Promise<Record<string, unknown>[]> => {
    const after = position && { rank: position.keys[0]!, id: position.id }
    const ranked = await context.db.rows(context.binding, query.find(after, size + 1))
    if (ranked.length === 0) return []
    const parameters = new Parameters()
    const columns = Object.entries<string>(query.columns(parameters, selectedFields(info, edge, ['edges'])))
    const conditions = scopeConditions(context, model, parameters)
    conditions.push(`t."id" = ANY(${parameters.add(ranked.map(([id]) => id))})`)
    const extra = columns.map(([property, sql]) => `${sql} AS "${property} of row"`)
    const list = ['t."id" AS "key of row"', ...extra, projection.selectList].join(', ')
    const text = `SELECT ${list} FROM ${model.table} t WHERE ${conditions.join(' AND ')}`
    const joined = joinedRows(context, projection, text, parameters)
    const read = await context.db.rows(context.binding, prepared(joined, parameters.values))
    const readable = await readableRows(context, model, projection, read, columns.length + 1)
    const byId = new Map(read.map((values, place) => [values[0], [values, readable[place]!] as const]))
    return ranked.flatMap(([id, rank]) => {
      const [values, row] = byId.get(id) ?? []
      if (!values || !row) return []
      const own = Object.fromEntries(columns.map(([property], place) => [property, values[place + 1]]))
      return [{ ...row, ...own, rank }]
    })
  }
  const count = async () => (await context.db.rows(context.binding, query.count(countLimit)))[0]![0] as number
  try {
    const [found, total] = await Promise.all([
      wanted.wantsRows ? rows() : [],
      wanted.wantsCount ? count() : null,
    ])
    noteProperties(context, model, query.searched, found.slice(0, size))
    return connectionOf<E & { rank: number } & Record<X, unknown>>(placing, found, total)
  } catch (error) {
    throw asMalformedCursor(placing, error)
  }
}
