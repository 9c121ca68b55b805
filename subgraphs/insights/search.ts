import type { GraphQLResolveInfo } from 'graphql'
import type { SubgraphContext } from '../../kernel/context'
import { badUserInput } from '../../kernel/errors'
import { isUuid } from '../../kernel/id'
import { rankedPage, requireNoNull } from '../../kernel/query'
import { prepared } from '../../kernel/statement'
import { CustomerInteraction } from './entities/CustomerInteraction'
import type { QuerySearchCustomerInteractionsArgs } from './generated'
import { highlighted, matchStart, matchStop } from './rules/highlight'

const longestQuery = 200

const headlineOptions = `StartSel=${matchStart}, StopSel=${matchStop}, MaxFragments=2, MaxWords=25, MinWords=8`

const search = 'insights.search_interactions($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)'
const findRanked = `SELECT id, rank FROM ${search} ORDER BY rank DESC, id DESC`
const countRanked = `SELECT count(*)::int FROM ${search}`

/** The part of a row's content around the matches; what stands for their marks is taken out of the content first. */
const headline = (query: string): string =>
  `ts_headline('pg_catalog.english', translate(coalesce(t.content, ''), '${matchStart}${matchStop}', ''),
     websearch_to_tsquery('pg_catalog.english', ${query}), '${headlineOptions}')`

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
  const conditions = [
    query,
    filter?.customerId,
    filter?.channel,
    filter?.occurredAt?.gte,
    filter?.occurredAt?.lt,
    filter?.sentiment?.gte,
    filter?.sentiment?.lte,
  ]
  const found = await rankedPage(context, CustomerInteraction, args, info, 'CustomerInteractionSearchEdge', {
    name: `relevance to ${query}`,
    searched: ['content'],
    find: (after, limit) => prepared(findRanked, [...conditions, after?.rank, after?.id, limit].map(orNull)),
    count: (limit) => prepared(countRanked, [...conditions, null, null, limit].map(orNull)),
    columns: (parameters, selected) => ({
      highlight: selected.has('highlight') ? headline(parameters.add(query)) : 'NULL',
    }),
  })
  const { nodes, pageInfo, totalCount } = found
  const edges = found.edges.map((edge) =>
    Object.assign(edge, {
      rank: edge.node.rank,
      highlight: highlighted((edge.node.highlight ?? '') as string),
    }),
  )
  return { edges, nodes, pageInfo, totalCount }
}
