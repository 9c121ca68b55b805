import type { GraphQLResolveInfo } from 'graphql'
import type { SubgraphContext } from './context'
import { decodeCursor, encodeCursor, malformed, type Position } from './cursor'
import {
  modelOf,
  selectedFields,
  selectedProjection,
  type ColumnModel,
  type EntityClass,
  type EntityModel,
  type Projection,
} from './entity'
import { badUserInput } from './errors'
import { equalities, filterConditions, standingConditions, type Filter } from './filter'
import { requestLoader, requireTenant } from './load'
import { named, Parameters } from './statement'

/** The arguments every connection takes. */
export interface PageArguments {
  first?: number | null
  after?: string | null
  filter?: object | null
  orderBy?: { field: string; direction?: 'ASC' | 'DESC' | null } | null
}

/** What a resolver may fix about its connection. */
export interface PageOptions {
  /** Equalities that always hold, whatever the client filters. */
  where?: Filter
  /** Order when the client gives none; default: newest first. */
  defaultOrder?: { property: string; direction: 'ASC' | 'DESC' }
  /** Properties that the filter field `search` looks into. */
  search?: readonly string[]
}

/** A Relay connection. */
export interface Connection<E> {
  edges: { cursor: string; node: E }[]
  nodes: E[]
  pageInfo: {
    hasNextPage: boolean
    hasPreviousPage: boolean
    startCursor: string | null
    endCursor: string | null
  }
  totalCount: number | null
}

/** Counting stops here: a larger `totalCount` is given as this number. */
export const countLimit = 10_000

/** A connection's request, checked and ready to be written as SQL. */
interface Page {
  model: EntityModel
  first: number
  order: { column: ColumnModel; descending: boolean; name: string }
  after: Position | null
  filter: Filter | null
  options: PageOptions
  projection: Projection
  wantsRows: boolean
  wantsCount: boolean
}

const rowPaths = [['nodes'], ['edges', 'node']] as const

function readPage(
  context: SubgraphContext,
  entity: EntityClass,
  args: PageArguments,
  info: GraphQLResolveInfo,
  options: PageOptions,
  limit: number,
  extra: readonly string[],
): Page {
  const model = modelOf(context, entity)
  requireTenant(context, model)
  const first = args.first ?? 20
  if (first < 1 || first > limit)
    throw badUserInput(`first: ask for 1 to ${limit} rows at a time, not ${first}`)
  const order = readOrder(model, args.orderBy, options.defaultOrder)
  const selected = selectedFields(info, info.returnType.toString().replace(/!$/, ''))
  return {
    model,
    first,
    order,
    after: args.after ? decodeCursor(order.name, args.after) : null,
    filter: (args.filter ?? null) as Filter | null,
    options,
    projection: selectedProjection(model, info, rowPaths, [order.column.property, ...extra]),
    wantsRows: selected.has('nodes') || selected.has('edges') || selected.has('pageInfo'),
    wantsCount: selected.has('totalCount'),
  }
}

/** The order that the client asked for: the enum value `HIRE_DATE` names the property `hireDate`. */
function readOrder(
  model: EntityModel,
  orderBy: PageArguments['orderBy'],
  fallback: PageOptions['defaultOrder'],
): Page['order'] {
  const property = orderBy
    ? orderBy.field.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
    : (fallback?.property ?? 'createdAt')
  const direction = orderBy ? (orderBy.direction ?? 'ASC') : (fallback?.direction ?? 'DESC')
  const column = model.columns.get(property)
  if (!column) throw new Error(`order ${property} is no column of ${model.name}`)
  return { column, descending: direction === 'DESC', name: `${property} ${direction}` }
}

/**
 * The rows after a position. PostgreSQL's own order of NULL (last ascending, first descending) is kept, since indexes
 * have it; a row comparison with NULL is neither true nor false, so both sides of the border are spelled out.
 */
function afterConditions({ order, after }: Page, parameters: Parameters): string[] {
  if (!after) return []
  const key = `t.${order.column.sql}`
  const compare = order.descending ? '<' : '>'
  const id = parameters.add(after.id)
  if (after.key === null) {
    const laterNulls = `(${key} IS NULL AND t."id" ${compare} ${id})`
    return [order.descending ? `(${laterNulls} OR ${key} IS NOT NULL)` : laterNulls]
  }
  const later = `(${key}, t."id") ${compare} (${parameters.add(after.key)}, ${id})`
  return [order.column.nullable && !order.descending ? `(${later} OR ${key} IS NULL)` : later]
}

function conditionsOf(context: SubgraphContext, page: Page, parameters: Parameters): string[] {
  return [
    ...standingConditions(context, page.model, parameters),
    ...equalities(page.model, page.options.where ?? {}, parameters),
    ...filterConditions(page.model, page.filter, parameters, page.options.search),
  ]
}

function orderClause({ order }: Page): string {
  const direction = order.descending ? 'DESC' : 'ASC'
  return `t.${order.column.sql} ${direction}, t."id" ${direction}`
}

const where = (conditions: readonly string[]): string =>
  conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''

function connectionOf<E>(
  page: Page,
  rows: Record<string, unknown>[],
  totalCount: number | null,
): Connection<E> {
  const shown = rows.slice(0, page.first)
  const edges = shown.map((row) => ({
    node: row as E,
    cursor: encodeCursor(page.order.name, {
      key: textOf(row[page.order.column.property]),
      id: String(row['id']),
    }),
  }))
  return {
    edges,
    nodes: shown as E[],
    pageInfo: {
      hasNextPage: rows.length > page.first,
      hasPreviousPage: page.after !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount,
  }
}

const textOf = (value: unknown): string | null =>
  value === null || value === undefined ? null : String(value)

/** A cursor's key is text from outside: what the column's type cannot read is the client's error, not ours. */
function asMalformedCursor(page: Page, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return page.after && code.startsWith('22') ? malformed() : error
}

/**
 * A root connection: the rows of an entity that the viewer's tenant owns, filtered, ordered and paged by keyset.
 * One statement for the rows, one more only when `totalCount` is selected (counting stops at {@link countLimit}).
 * Throws BAD_USER_INPUT for `first` out of bounds and for a cursor that does not fit.
 */
export async function page<E>(
  context: SubgraphContext,
  entity: EntityClass<E>,
  args: PageArguments,
  info: GraphQLResolveInfo,
  options: PageOptions = {},
): Promise<Connection<E>> {
  const request = readPage(context, entity, args, info, options, context.services.config.pageLimit, [])
  try {
    const [rows, count] = await Promise.all([
      request.wantsRows ? pageRows(context, request) : [],
      request.wantsCount ? pageCount(context, request) : null,
    ])
    return connectionOf(request, rows, count)
  } catch (error) {
    throw asMalformedCursor(request, error)
  }
}

async function pageRows(context: SubgraphContext, request: Page): Promise<Record<string, unknown>[]> {
  const parameters = new Parameters()
  const conditions = [...conditionsOf(context, request, parameters), ...afterConditions(request, parameters)]
  const text =
    `SELECT ${request.projection.selectList} FROM ${request.model.table} t ${where(conditions)} ` +
    `ORDER BY ${orderClause(request)} LIMIT ${parameters.add(request.first + 1)}`
  const rows = await context.db.rows(context.binding, named(text, parameters.values))
  return rows.map((values) => request.projection.toRow(values))
}

async function pageCount(context: SubgraphContext, request: Page): Promise<number> {
  const parameters = new Parameters()
  const conditions = conditionsOf(context, request, parameters)
  const text = `SELECT count(*)::int FROM (SELECT 1 FROM ${request.model.table} t ${where(conditions)} LIMIT ${countLimit}) counted`
  const rows = await context.db.rows(context.binding, named(text, parameters.values))
  return rows[0]![0] as number
}

/**
 * A connection under each of many parents: the children whose `property` is the parent's id. One statement for all
 * parents of a level (and one for their counts, if selected): each parent's page is a lateral sub-query, which walks
 * the index and stops after its page instead of reading every child.
 */
export function nested<E>(
  context: SubgraphContext,
  entity: EntityClass<E>,
  property: keyof E & string,
  parentId: string,
  args: PageArguments,
  info: GraphQLResolveInfo,
  options: PageOptions = {},
): Promise<Connection<E>> {
  const request = readPage(context, entity, args, info, options, context.services.config.nestedPageLimit, [
    property,
  ])
  const shape = JSON.stringify([
    request.first,
    request.order.name,
    request.after,
    request.filter,
    options.where ?? null,
  ])
  const key = `page ${request.model.name} ${property} ${request.projection.key} ${request.wantsRows} ${request.wantsCount} ${shape}`
  return requestLoader<string, Connection<E>>(context, key, async (parents) => {
    try {
      const [rows, counts] = await Promise.all([
        request.wantsRows
          ? nestedRows(context, request, property, parents)
          : new Map<unknown, Record<string, unknown>[]>(),
        request.wantsCount ? nestedCounts(context, request, property, parents) : new Map<unknown, number>(),
      ])
      return parents.map((parent) =>
        connectionOf<E>(
          request,
          rows.get(parent) ?? [],
          request.wantsCount ? (counts.get(parent) ?? 0) : null,
        ),
      )
    } catch (error) {
      throw asMalformedCursor(request, error)
    }
  }).load(parentId)
}

function parentCondition(request: Page, property: string): string {
  return `t.${request.model.columns.get(property)!.sql} = parent.id`
}

async function nestedRows(
  context: SubgraphContext,
  request: Page,
  property: string,
  parents: readonly string[],
): Promise<Map<unknown, Record<string, unknown>[]>> {
  const parameters = new Parameters()
  const ids = parameters.add(parents)
  const conditions = [
    ...conditionsOf(context, request, parameters),
    parentCondition(request, property),
    ...afterConditions(request, parameters),
  ]
  const text =
    `SELECT parent.id, page.* FROM unnest(${ids}::uuid[]) AS parent(id) CROSS JOIN LATERAL (` +
    `SELECT ${request.projection.selectList} FROM ${request.model.table} t ${where(conditions)} ` +
    `ORDER BY ${orderClause(request)} LIMIT ${parameters.add(request.first + 1)}) page`
  const byParent = new Map<unknown, Record<string, unknown>[]>()
  for (const values of await context.db.rows(context.binding, named(text, parameters.values))) {
    const rows = byParent.get(values[0]) ?? []
    rows.push(request.projection.toRow(values, 1))
    byParent.set(values[0], rows)
  }
  return byParent
}

async function nestedCounts(
  context: SubgraphContext,
  request: Page,
  property: string,
  parents: readonly string[],
): Promise<Map<unknown, number>> {
  const parameters = new Parameters()
  const ids = parameters.add(parents)
  const conditions = [...conditionsOf(context, request, parameters), parentCondition(request, property)]
  const text =
    `SELECT parent.id, (SELECT count(*)::int FROM (SELECT 1 FROM ${request.model.table} t ${where(conditions)} ` +
    `LIMIT ${countLimit}) counted) FROM unnest(${ids}::uuid[]) AS parent(id)`
  const rows = await context.db.rows(context.binding, named(text, parameters.values))
  return new Map(rows.map((values) => [values[0], values[1] as number]))
}
