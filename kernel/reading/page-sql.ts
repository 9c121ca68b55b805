import type { SubgraphContext } from '../context'
import type { DataKey } from '../encryption/cipher'
import { tenantKeys } from '../encryption/tenant-keys'
import { filterConditions } from './filter'
import { joinedRows } from './join'
import { orderClause, partsOf } from './keyset'
import type { PageRequest } from './page-request'
import { readableRows } from './readable-rows'
import { equalities, scopeConditions } from './scope'
import { prepared, Parameters } from '../statement'

type Row = Record<string, unknown>

/** Counting stops here: a larger `totalCount` is given as this number. */
export const countLimit = 10_000

/** Tenant keys where the filter may compare encrypted values; they are in memory as a rule. */
const keysOf = (context: SubgraphContext, { model, filter }: PageRequest) =>
  filter && model.encrypted.size > 0 ? tenantKeys(context) : null

function conditionsOf(
  context: SubgraphContext,
  page: PageRequest,
  parameters: Parameters,
  keys: readonly DataKey[] | null,
): string[] {
  return [
    ...scopeConditions(context, page.model, parameters),
    ...equalities(page.model, page.options.where ?? {}, parameters),
    ...filterConditions(page.model, page.filter, parameters, page.model.searched, keys ?? []),
  ]
}

const where = (conditions: readonly string[]): string =>
  conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''

/**
 * Written out: for a parameter PostgreSQL expects a tenth of the tenant's rows, so the plan that it could keep never
 * looks better, and it plans each execution anew, which takes longer than to run it.
 */
const limitClause = ({ size }: PageRequest): string => `LIMIT ${size + 1}`

/** The rows of a page and one more, if there is one, in the order in which they are read. */
function rowsText(request: PageRequest, conditions: readonly string[], parameters: Parameters): string {
  const { order, backward, position, model, projection } = request
  const parts = partsOf(order, backward, position, parameters).map(
    (part) =>
      `SELECT ${projection.selectList} FROM ${model.table} t ${where([...conditions, ...part.conditions])} ` +
      `${part.orderClause} ${limitClause(request)}`,
  )
  // PostgreSQL reads the parts one after the other, and the second only when the first does not fill the page.
  return parts.length === 1 ? parts[0]! : `(${parts.join(') UNION ALL (')}) ${limitClause(request)}`
}

/** The rows of a page and one more, if there is one; from its end when it is read backwards. */
export async function pageRows(context: SubgraphContext, request: PageRequest): Promise<Row[]> {
  const parameters = new Parameters()
  const text = rowsText(
    request,
    conditionsOf(context, request, parameters, await keysOf(context, request)),
    parameters,
  )
  const joined = joinedRows(context, request.projection, text, parameters, orderOfPage(request))
  const rows = await context.db.rows(context.binding, prepared(joined, parameters.values))
  return readableRows(context, request.model, request.projection, rows)
}

/** Says how many rows the filter admits, counted to {@link countLimit}. */
export async function pageCount(context: SubgraphContext, request: PageRequest): Promise<number> {
  const parameters = new Parameters()
  const conditions = conditionsOf(context, request, parameters, await keysOf(context, request))
  const text = `SELECT count(*)::int FROM (SELECT 1 FROM ${request.model.table} t ${where(conditions)} LIMIT ${countLimit}) counted`
  const rows = await context.db.rows(context.binding, prepared(text, parameters.values))
  return rows[0]![0] as number
}

const orderOfPage = ({ order, backward }: PageRequest): string => orderClause(order, backward, 'page')

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
    ...conditionsOf(context, request, parameters, await keysOf(context, request)),
    parentCondition(request, property),
  ]
  const text =
    `SELECT parent.id AS "parent of page", page.* FROM unnest(${ids}::uuid[]) AS parent(id) CROSS JOIN LATERAL (` +
    `${rowsText(request, conditions, parameters)}) page`
  const joined = joinedRows(context, request.projection, text, parameters, orderOfPage(request))
  const byParent = new Map<unknown, Row[]>()
  const read = await context.db.rows(context.binding, prepared(joined, parameters.values))
  const readable = await readableRows(context, request.model, request.projection, read, 1)
  for (const [place, [parent]] of read.entries()) {
    const rows = byParent.get(parent) ?? []
    rows.push(readable[place]!)
    byParent.set(parent, rows)
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
  const conditions = [
    ...conditionsOf(context, request, parameters, await keysOf(context, request)),
    parentCondition(request, property),
  ]
  const text =
    `SELECT parent.id, (SELECT count(*)::int FROM (SELECT 1 FROM ${request.model.table} t ${where(conditions)} ` +
    `LIMIT ${countLimit}) counted) FROM unnest(${ids}::uuid[]) AS parent(id)`
  const rows = await context.db.rows(context.binding, prepared(text, parameters.values))
  return new Map(rows.map((values) => [values[0], values[1] as number]))
}
