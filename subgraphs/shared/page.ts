import type { GraphQLResolveInfo } from 'graphql'
import type { SubgraphContext } from './context'
import { encodeCursor, malformed, type Position } from './cursor'
import type { EntityClass } from './entity'
import { requestLoader } from './load'
import { readPage, type PageArguments, type PageOptions } from './page-request'
import { nestedCounts, nestedRows, pageCount, pageRows } from './page-sql'

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

/** What the rows of a page are placed by. */
interface Placing {
  first: number
  after: Position | null
  order: { name: string; column: { property: string } }
}

/** The connection of a page's rows, one more of them when there are further ones. */
export function connectionOf<E>(
  page: Placing,
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
export function asMalformedCursor(page: Pick<Placing, 'after'>, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return page.after && code.startsWith('22') ? malformed() : error
}

/**
 * A root connection: the rows of an entity that the viewer's tenant owns, filtered, ordered and paged by keyset.
 * One statement for the rows, one more only when `totalCount` is selected (counting stops at `countLimit`).
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

/**
 * A connection under each of many parents: the children whose `property` is the parent's id. One statement for all
 * parents of a level, and one more for their counts when `totalCount` is selected.
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
