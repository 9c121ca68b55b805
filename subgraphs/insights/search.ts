import type { GraphQLResolveInfo } from 'graphql'
import type { SubgraphContext } from '../../kernel/context'
import { scopeConditions } from '../../kernel/reading/scope'
import { selectedFields } from '../../kernel/reading/projection'
import { badUserInput } from '../../kernel/errors'
import { isUuid } from '../../kernel/id'
import { requireNoNull } from '../../kernel/reading/filter'
import { asMalformedCursor, connectionOf } from '../../kernel/page'
import { readPage, readSlice } from '../../kernel/reading/page-request'
import { countLimit } from '../../kernel/reading/page-sql'
import { prepared, Parameters } from '../../kernel/statement'
import { CustomerInteraction } from './entities/CustomerInteraction'
import type { QuerySearchCustomerInteractionsArgs } from './generated'
import { highlighted, matchStart, matchStop } from './rules/highlight'

const longestQuery = 200

const headlineOptions = `StartSel=${matchStart}, StopSel=${matchStop}, MaxFragments=2, MaxWords=25, MinWords=8`

const search = 'insights.search_interactions($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)'
const findRanked = `SELECT id, rank FROM ${search} ORDER BY rank DESC, id DESC`
const countRanked = `SELECT count(*)::int FROM ${search}`

const orNull = (value: unknown): unknown => value ?? null

/**
 * Interactions whose content matches the words, ranked by cover density (PostgreSQL's `ts_rank_cd`). The function in
 * the database finds ids through the index that row level security closes to everybody else; the rows, and the
 * highlights of the page's rows alone, are read under the viewer's own rights. Two statements: a distributed PostgreSQL
 * cannot run one that calls such a function beside a tenant's table.
 * Throws BAD_USER_INPUT for a query that is empty or too long, `first` out of bounds and a cursor of another search.
 */
export async function searchInteractions(
  context: SubgraphContext,
  { query, filter, ...args }: QuerySearchCustomerInteractionsArgs,
  info: GraphQLResolveInfo,
) {
  if (query.trim() === '' || [...query].length > longestQuery)
    throw badUserInput(`query: give 1 to ${longestQuery} characters`)
  requireNoNull(filter ?? {}, 'filter')
  if (filter?.customerId && !isUuid(filter.customerId))
    throw badUserInput(`customerId: "${filter.customerId}" is not an id`)
  const limit = context.services.config.pageLimit
  const request = readPage(context, CustomerInteraction, {}, info, {}, limit)
  const order = {
    name: `relevance to ${query}`,
    keys: [{ column: { property: 'rank', nullable: false } }],
  }
  const slice = readSlice(args, order, limit)
  const conditions = [
    query,
    filter?.customerId,
    filter?.channel,
    filter?.occurredAt?.gte,
    filter?.occurredAt?.lt,
    filter?.sentiment?.gte,
    filter?.sentiment?.lte,
  ]
  const rows = async (): Promise<Record<string, unknown>[]> => {
    const found = await context.db.rows(
      context.binding,
      prepared(
        findRanked,
        [...conditions, slice.position?.keys[0], slice.position?.id, slice.size + 1].map(orNull),
      ),
    )
    if (found.length === 0) return []
    const parameters = new Parameters()
    const isHighlighted = selectedFields(info, 'CustomerInteractionSearchEdge', ['edges']).has('highlight')
    const headline = isHighlighted
      ? `ts_headline('pg_catalog.english', translate(coalesce(t.content, ''), '${matchStart}${matchStop}', ''),
           websearch_to_tsquery('pg_catalog.english', ${parameters.add(query)}), '${headlineOptions}')`
      : 'NULL'
    const own = scopeConditions(context, request.model, parameters)
    const wanted = `t."id" = ANY(${parameters.add(found.map(([id]) => id))})`
    const text =
      `SELECT t."id", ${headline}, ${request.projection.selectList} FROM ${request.model.table} t ` +
      `WHERE ${[...own, wanted].join(' AND ')}`
    const read = await context.db.rows(context.binding, prepared(text, parameters.values))
    const rowOf = new Map(read.map((values) => [values[0], values]))
    return found.flatMap(([id, rank]) => {
      const values = rowOf.get(id)
      return values ? [{ ...request.projection.toRow(values, 2), rank, highlight: values[1] }] : []
    })
  }
  const count = async (): Promise<number> => {
    const given = [...conditions, null, null, countLimit].map(orNull)
    const [counted] = await context.db.rows(context.binding, prepared(countRanked, given))
    return counted![0] as number
  }
  const placing = { ...slice, order }
  try {
    const [page, totalCount] = await Promise.all([
      request.wantsRows ? rows() : [],
      request.wantsCount ? count() : null,
    ])
    const connection = connectionOf<Found>(placing, page, totalCount)
    const { nodes, pageInfo } = connection
    const edges = connection.edges.map((edge) =>
      Object.assign(edge, { rank: edge.node.rank, highlight: highlighted(edge.node.highlight ?? '') }),
    )
    return { edges, nodes, pageInfo, totalCount }
  } catch (error) {
    throw asMalformedCursor(placing, error)
  }
}

type Found = CustomerInteraction & { rank: number; highlight: string | null }
