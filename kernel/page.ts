import type { GraphQLResolveInfo } from 'graphql'
import { requestBatch, type Batch } from './reading/batch'
import type { SubgraphContext } from './context'
import { asMalformedCursor, connectionOf, type Connection } from './reading/connection'
import type { EntityClass } from './entity'
import type { SyncPromise } from './execution/sync-promise'
import { readPage, type PageArguments, type PageOptions } from './reading/page-request'
import { notePage } from './reading/recorded-conditions'
import { nestedCounts, nestedRows, pageCount, pageRows } from './reading/page-sql'

/**
 * A root connection: the rows of an entity that the viewer's tenant owns, filtered, ordered and paged by keyset.
 * One statement for the rows, one more only when `totalCount` is selected (counting stops at `countLimit`).
 * Throws BAD_USER_INPUT for a size out of bounds, arguments of both directions and a cursor that does not fit.
 */
export async function page<E>(
  context: SubgraphContext,
  entity: EntityClass<E>,
  args: PageArguments,
  info: GraphQLResolveInfo,
  options: PageOptions = {},
): Promise<Connection<E>> {
  const { pageLimit } = context.services.config
  const request = readPage(context, entity, args, info, options, pageLimit, { withJoins: true })
  try {
    const [rows, count] = await Promise.all([
      request.wantsRows ? pageRows(context, request) : [],
      request.wantsCount ? pageCount(context, request) : null,
    ])
    notePage(context, request, rows.slice(0, request.size))
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
  find: Batch<Connection<unknown>>
}

/**
 * Tells whether a further parent's page is asked for in the same way. Filters are not looked into: they make it
 * different.
 */
function isSame(known: NestedPages, other: Omit<NestedPages, 'find'>): boolean {
  const { args, options } = other
  return (
    known.entity === other.entity &&
    known.property === other.property &&
    known.options.defaultOrder === options.defaultOrder &&
    known.args.first === args.first &&
    known.args.after === args.after &&
    known.args.last === args.last &&
    known.args.before === args.before &&
    isSameOrder(known.args.orderBy, args.orderBy) &&
    isUnfiltered(known) &&
    isUnfiltered(other)
  )
}

const isSameOrder = (one: PageArguments['orderBy'], other: PageArguments['orderBy']): boolean =>
  one === other ||
  (!!one &&
    one.length === other?.length &&
    one.every(({ field, direction }, place) => {
      const also = other[place]!
      return also.field === field && also.direction === direction
    }))

const isUnfiltered = ({ args, options }: Pick<NestedPages, 'args' | 'options'>) =>
  !args.filter && !options.where

/**
 * A connection under each of many parents: the children whose `property` is the parent's id. One statement for all
 * parents of a level, and one more for their counts when `totalCount` is selected.
 * @example employees: ({ id }, args, context, info) => nested(context, Employee, 'departmentId', id, args, info)
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
  if (known && isSame(known, asked)) return known.find(parentId) as SyncPromise<Connection<E>>
  const find = nestedPages<E>(context, entity, property, args, info, options)
  if (!another) context.loaders.set(node, { ...asked, find })
  return find(parentId)
}

function nestedPages<E>(
  context: SubgraphContext,
  entity: EntityClass<E>,
  property: keyof E & string,
  args: PageArguments,
  info: GraphQLResolveInfo,
  options: PageOptions,
): Batch<Connection<E>> {
  const { nestedPageLimit } = context.services.config
  const reading = { extra: [property], withJoins: true }
  const request = readPage(context, entity, args, info, options, nestedPageLimit, reading)
  const shape = JSON.stringify([
    request.size,
    request.backward,
    request.order.name,
    request.position,
    request.filter,
    options.where ?? null,
  ])
  const key = `page ${request.model.name} ${property} ${request.projection.key} ${request.wantsRows} ${request.wantsCount} ${shape}`
  return requestBatch<Connection<E>>(context, key, async (parents) => {
    try {
      const [rows, counts] = await Promise.all([
        request.wantsRows
          ? nestedRows(context, request, property, parents)
          : new Map<unknown, Record<string, unknown>[]>(),
        request.wantsCount ? nestedCounts(context, request, property, parents) : new Map<unknown, number>(),
      ])
      const shown = [...rows.values()].flatMap((ofParent) => ofParent.slice(0, request.size))
      notePage(context, request, shown)
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
