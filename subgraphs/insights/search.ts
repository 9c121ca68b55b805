import type { GraphQLResolveInfo } from 'graphql'
import type { SubgraphContext } from '../../kernel/context'
import type { EntityClass } from '../../kernel/entity'
import { badUserInput } from '../../kernel/errors'
import { isUuid } from '../../kernel/id'
import { rankedPage, requireNoNull } from '../../kernel/query'
import { headlineSql, parseSearch, passages } from '../../kernel/search'
import { prepared } from '../../kernel/statement'
import { CustomerInteraction } from './entities/CustomerInteraction'
import { SupportTicket } from './entities/SupportTicket'
import type { QuerySearchCustomerInteractionsArgs, QuerySearchSupportTicketsArgs } from './generated'

/** Describes what a search looks into, and with which function of the database. */
interface Searched<E> {
  entity: EntityClass<E>
  edge: string
  /** The properties that it tells of. */
  searched: readonly string[]
  /** SQL over `t` of the text whose passages are shown. */
  text: string
  /** Finds ids and ranks: its arguments are the groups, the conditions, then rank and id to go on after, and the limit. */
  find: string
  conditions: readonly unknown[]
}

interface SearchArguments {
  query: string
  first?: number | null
  after?: string | null
}

const orNull = (value: unknown): unknown => value ?? null

/**
 * Rows of an entity whose texts match, ranked by how often and how near to one another the words stand, for its length. The
 * function in the database finds ids through the index that row level security closes to everybody else; the rows, and the
 * highlights of the page's rows alone, are read under the viewer's own rights. Two statements: a distributed PostgreSQL
 * cannot run one that calls such a function beside a tenant's table.
 * Throws BAD_USER_INPUT as `parseSearch` does, for `first` out of bounds, and for a cursor of another search.
 */
async function searchPage<E>(
  context: SubgraphContext,
  { query, ...args }: SearchArguments,
  info: GraphQLResolveInfo,
  { entity, edge, searched, text, find, conditions }: Searched<E>,
) {
  const groups = parseSearch(query)
  const given = [JSON.stringify(groups), ...conditions.map(orNull)]
  const places = Array.from({ length: given.length + 3 }, (_, place) => `$${place + 1}`).join(', ')
  const found = await rankedPage(context, entity, args, info, edge, {
    name: `relevance to ${query}`,
    searched,
    find: (after, limit) =>
      prepared(`SELECT id, rank FROM ${find}(${places}) ORDER BY rank DESC, id DESC`, [
        ...given,
        ...[orNull(after?.rank), orNull(after?.id), limit],
      ]),
    count: (limit) => prepared(`SELECT count(*)::int FROM ${find}(${places})`, [...given, null, null, limit]),
    columns: (parameters, selected): Record<'headline' | 'text', string> => ({
      headline: selected.has('highlight')
        ? headlineSql(text, 't."language"', parameters.add(given[0]))
        : 'NULL',
      text: selected.has('highlight') ? text : 'NULL',
    }),
  })
  const { nodes, pageInfo, totalCount } = found
  const edges = found.edges.map((one) =>
    Object.assign(one, {
      rank: one.node.rank,
      highlight: passages(String(one.node.headline ?? ''), String(one.node.text ?? ''), groups),
    }),
  )
  return { edges, nodes, pageInfo, totalCount }
}

/** The filter of a search without null. Throws BAD_USER_INPUT. */
function checked<F extends object>(
  filter: F | null | undefined,
  ids: readonly (keyof F & string)[],
): Partial<F> {
  const given: Partial<F> = filter ?? {}
  requireNoNull(given, 'filter')
  for (const name of ids) {
    const id = given[name] as unknown
    if (typeof id === 'string' && !isUuid(id)) throw badUserInput(`${name}: "${id}" is not an id`)
  }
  return given
}

/** Interactions whose content matches. */
export function searchInteractions(
  context: SubgraphContext,
  { filter, ...args }: QuerySearchCustomerInteractionsArgs,
  info: GraphQLResolveInfo,
) {
  const { customerId, channel, occurredAt, sentiment } = checked(filter, ['customerId'])
  return searchPage(context, args, info, {
    entity: CustomerInteraction,
    edge: 'CustomerInteractionSearchEdge',
    searched: ['content'],
    text: "coalesce(t.content, '')",
    find: 'insights.search_interactions',
    conditions: [
      ...[customerId, channel, occurredAt?.gte, occurredAt?.lt],
      ...[sentiment?.gte, sentiment?.lte],
    ],
  })
}

/** Tickets that have the words in number, subject and description, or in one public message. */
export function searchTickets(
  context: SubgraphContext,
  { filter, ...args }: QuerySearchSupportTicketsArgs,
  info: GraphQLResolveInfo,
) {
  const { customerId, assigneeId, status } = checked(filter, ['customerId', 'assigneeId'])
  return searchPage(context, args, info, {
    entity: SupportTicket,
    edge: 'SupportTicketSearchEdge',
    searched: ['subject', 'description'],
    text: "concat_ws(E'\\n', t.subject, t.description)",
    find: 'insights.search_tickets',
    conditions: [args.query.trim().toUpperCase(), customerId, assigneeId, status],
  })
}
