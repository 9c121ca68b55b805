import type { GraphQLResolveInfo } from 'graphql'
import type { SubgraphContext } from '../context'
import type { EntityClass } from '../entity'
import { modelOf, type EntityModel, type Projection } from '../schema/entity-model'
import { badUserInput } from '../errors'
import { requireTenant, type Equalities } from './scope'
import { decodeCursor, type CursorArgument, type CursorOrder, type Position } from './cursor'
import type { Filter } from './filter'
import { readOrder, type Order, type OrderChoice, type OrderInput } from './order'
import { selectedFields, selectedProjection } from './projection'
import { cursorNote } from './recorded-conditions'

/** The arguments every connection takes. */
export interface PageArguments {
  first?: number | null
  after?: string | null
  last?: number | null
  before?: string | null
  filter?: object | null
  orderBy?: readonly OrderInput[] | null
}

/** Describes what a resolver may fix about its connection. */
export interface PageOptions {
  /** Equalities that always hold, whatever the client filters. */
  where?: Equalities
  /** Order when the client gives none; default: newest first. */
  defaultOrder?: OrderChoice
}

/** Which part of a list a page is. */
export interface Slice {
  /** Says how many rows at most. An integer: it is part of the statement's text. */
  size: number
  /** Tells whether the page ends where it was asked for, and is read from there backwards: `last` and `before`. */
  backward: boolean
  /** Says where the page begins, or ends when read backwards, without this row; null for the end of the list. */
  position: Position | null
}

/** A connection's request, checked and ready to be written as SQL. */
export interface PageRequest extends Slice {
  model: EntityModel
  order: Order
  filter: Filter | null
  options: PageOptions
  projection: Projection
  wantsRows: boolean
  wantsCount: boolean
  /** As in `Placing`. */
  noteCursor: ((row: Record<string, unknown>) => void) | undefined
}

/** Rows of a page when neither `first` nor `last` is given. */
const defaultSize = 20

const rowPaths = [['nodes'], ['edges', 'node']] as const

/**
 * Checks a connection's arguments and finds out what is selected of it.
 * @param extra properties to read whether they are selected or not
 * @param withJoins the statement is written by `joinedRows`, so related rows may come with it
 */
export function readPage(
  context: SubgraphContext,
  entity: EntityClass,
  args: PageArguments,
  info: GraphQLResolveInfo,
  options: PageOptions,
  limit: number,
  { extra = [], withJoins = false }: { extra?: readonly string[]; withJoins?: boolean } = {},
): PageRequest {
  const model = modelOf(context, entity)
  requireTenant(context, model)
  const order = readOrder(model, args.orderBy, options.defaultOrder)
  const { size, backward, position } = readSlice(args, order, limit)
  const selected = selectedFields(info, info.returnType.toString().replace(/!$/, ''))
  const placing = [...order.keys.map(({ column }) => column.property), ...extra]
  return {
    model,
    size,
    backward,
    position,
    order,
    filter: (args.filter ?? null) as Filter | null,
    options,
    projection: selectedProjection(model, info, rowPaths, placing, withJoins),
    wantsRows: selected.has('nodes') || selected.has('edges') || selected.has('pageInfo'),
    wantsCount: selected.has('totalCount'),
    noteCursor: cursorNote(context, model, order),
  }
}

/**
 * Which rows of a list in the given order are asked for. Throws BAD_USER_INPUT for a size out of bounds, for arguments of
 * both directions, and for a cursor that does not fit.
 */
export function readSlice(args: PageArguments, order: CursorOrder, limit: number): Slice {
  const first = args.first ?? null
  const last = args.last ?? null
  const after = args.after ?? null
  const before = args.before ?? null
  const backward = last !== null || before !== null
  if (backward && (first !== null || after !== null))
    throw badUserInput(
      'Ask for a page in one direction: first and after read forwards, last and before backwards.',
    )
  const size = (backward ? last : first) ?? defaultSize
  if (!Number.isInteger(size) || size < 1 || size > limit)
    throw badUserInput(`${backward ? 'last' : 'first'}: ask for 1 to ${limit} rows at a time, not ${size}`)
  const cursor = backward ? before : after
  const argument: CursorArgument = backward ? 'before' : 'after'
  return { size, backward, position: cursor === null ? null : decodeCursor(order, cursor, argument) }
}
