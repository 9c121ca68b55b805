import type { SubgraphContext } from '../context'
import { equalities, filterConditions, scopeConditions } from './filter'
import { joinedRows } from './join'
import type { PageRequest } from './page-request'
import { prepared, Parameters } from '../statement'

type Row = Record<string, unknown>

/** Counting stops here: a larger `totalCount` is given as this number. */
export const countLimit = 10_000

/**
 * The rows after a position. PostgreSQL's own order of NULL (last ascending, first descending) is kept, since indexes
 * have it; a row comparison with NULL is neither true nor false, so both sides of the border are spelled out.
 */
function afterConditions({ order, after }: PageRequest, parameters: Parameters): string[] {
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

function conditionsOf(context: SubgraphContext, page: PageRequest, parameters: Parameters): string[] {
  return [
    ...scopeConditions(context, page.model, parameters),
    ...equalities(page.model, page.options.where ?? {}, parameters),
    ...filterConditions(page.model, page.filter, parameters, page.model.searched),
  ]
}

function orderClause({ order }: PageRequest, alias: string): string {
  const direction = order.descending ? 'DESC' : 'ASC'
  return `ORDER BY ${alias}.${order.column.sql} ${direction}, ${alias}."id" ${direction}`
}

const where = (conditions: readonly string[]): string =>
  conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''

/**
 * Written out: for a parameter PostgreSQL expects a tenth of the tenant's rows, so the plan that it could keep never
 * looks better, and it plans each execution anew, which takes longer than to run it.
 */
const limitClause = ({ first }: PageRequest): string => `LIMIT ${first + 1}`

/** One row more than the page holds, if there is one. */
export async function pageRows(context: SubgraphContext, request: PageRequest): Promise<Row[]> {
  const parameters = new Parameters()
  const conditions = [...conditionsOf(context, request, parameters), ...afterConditions(request, parameters)]
  const text =
    `SELECT ${request.projection.selectList} FROM ${request.model.table} t ${where(conditions)} ` +
    `${orderClause(request, 't')} ${limitClause(request)}`
  const joined = joinedRows(context, request.projection, text, parameters, orderClause(request, 'page'))
  const rows = await context.db.rows(context.binding, prepared(joined, parameters.values))
  return rows.map((values) => request.projection.toRow(values))
}

/** How many rows the filter admits, counted to {@link countLimit}. */
export async function pageCount(context: SubgraphContext, request: PageRequest): Promise<number> {
  const parameters = new Parameters()
  const conditions = conditionsOf(context, request, parameters)
  const text = `SELECT count(*)::int FROM (SELECT 1 FROM ${request.model.table} t ${where(conditions)} LIMIT ${countLimit}) counted`
  const rows = await context.db.rows(context.binding, prepared(text, parameters.values))
  return rows[0]![0] as number
}

function parentCondition(request: PageRequest, property: string): string {
  return `t.${request.model.columns.get(property)!.sql} = parent.id`
}

/**
 * The pages of many parents in one statement: each parent's page is a lateral sub-query, which walks the index and
 * stops after its page instead of reading every child.
 */
export async function nestedRows(
  context: SubgraphContext,
  request: PageRequest,
  property: string,
  parents: readonly string[],
): Promise<Map<unknown, Row[]>> {
  const parameters = new Parameters()
  const ids = parameters.add(parents)
  const conditions = [
    ...conditionsOf(context, request, parameters),
    parentCondition(request, property),
    ...afterConditions(request, parameters),
  ]
  const text =
    `SELECT parent.id AS "parent of page", page.* FROM unnest(${ids}::uuid[]) AS parent(id) CROSS JOIN LATERAL (` +
    `SELECT ${request.projection.selectList} FROM ${request.model.table} t ${where(conditions)} ` +
    `${orderClause(request, 't')} ${limitClause(request)}) page`
  const joined = joinedRows(context, request.projection, text, parameters, orderClause(request, 'page'))
  const byParent = new Map<unknown, Row[]>()
  for (const values of await context.db.rows(context.binding, prepared(joined, parameters.values))) {
    const rows = byParent.get(values[0]) ?? []
    rows.push(request.projection.toRow(values, 1))
    byParent.set(values[0], rows)
  }
  return byParent
}

/** The counts of many parents in one statement. */
export async function nestedCounts(
  context: SubgraphContext,
  request: PageRequest,
  property: string,
  parents: readonly string[],
): Promise<Map<unknown, number>> {
  const parameters = new Parameters()
  const ids = parameters.add(parents)
  const conditions = [...conditionsOf(context, request, parameters), parentCondition(request, property)]
  const text =
    `SELECT parent.id, (SELECT count(*)::int FROM (SELECT 1 FROM ${request.model.table} t ${where(conditions)} ` +
    `LIMIT ${countLimit}) counted) FROM unnest(${ids}::uuid[]) AS parent(id)`
  const rows = await context.db.rows(context.binding, prepared(text, parameters.values))
  return new Map(rows.map((values) => [values[0], values[1] as number]))
}
