import type DataLoader from 'dataloader'
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

/**
 * The connection of a page's rows, one more of them when there are further ones. Cursors and edges are made when they are
 * read: most questions ask for neither.
 */
export function connectionOf<E>(
  page: Placing,
  rows: Record<string, unknown>[],
  totalCount: number | null,
): Connection<E> {
  const shown = rows.length > page.first ? rows.slice(0, page.first) : rows
  const cursorOf = (row: Record<string, unknown> | undefined) =>
    row ? encodeCursor(page.order.name, positionOf(row, page.order.column.property)) : null
  return {
    get edges() {
      return shown.map((row) => edgeOf<E>(row, cursorOf))
    },
    nodes: shown as E[],
    pageInfo: {
      hasNextPage: rows.length > page.first,
      hasPreviousPage: page.after !== null,
      get startCursor() {
        return cursorOf(shown[0])
      },
      get endCursor() {
        return cursorOf(shown.at(-1))
      },
    },
    totalCount,
  }
}

function edgeOf<E>(row: Record<string, unknown>, cursorOf: (row: Record<string, unknown>) => string | null) {
  return {
    node: row as E,
    get cursor() {
      return cursorOf(row)!
    },
  }
}

const positionOf = (row: Record<string, unknown>, property: string): Position => ({
  key: textOf(row[property]),
  id: String(row['id']),
})

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

/** The pages that one field asks for under many parents, as long as they differ in nothing but the parent. */
interface NestedPages {
  entity: unknown
  property: string
  args: PageArguments
  options: PageOptions
  loader: DataLoader<string, Connection<unknown>>
}

/** Whether a further parent's page is asked for in the same way. Filters are not looked into: they make it different. */
function isSame(known: NestedPages, other: Omit<NestedPages, 'loader'>): boolean {
  const { args, options } = other
  return (
    known.entity === other.entity &&
    known.property === other.property &&
    known.options.defaultOrder === options.defaultOrder &&
    known.args.first === args.first &&
    known.args.after === args.after &&
    known.args.orderBy?.field === args.orderBy?.field &&
    known.args.orderBy?.direction === args.orderBy?.direction &&
    isUnfiltered(known) &&
    isUnfiltered(other)
  )
}

const isUnfiltered = ({ args, options }: Pick<NestedPages, 'args' | 'options'>) =>
  !args.filter && !options.where

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
  const asked = { entity, property, args, options }
  const [node, another] = info.fieldNodes
  const known = another ? undefined : (context.loaders.get(node) as NestedPages | undefined)
  if (known && isSame(known, asked)) return known.loader.load(parentId) as Promise<Connection<E>>
  const loader = nestedLoader<E>(context, entity, property, args, info, options)
  if (!another) context.loaders.set(node, { ...asked, loader })
  return loader.load(parentId)
}

function nestedLoader<E>(
  context: SubgraphContext,
  entity: EntityClass<E>,
  property: keyof E & string,
  args: PageArguments,
  info: GraphQLResolveInfo,
  options: PageOptions,
): DataLoader<string, Connection<E>> {
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
  })
}
