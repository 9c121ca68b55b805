import { badUserInput } from '../errors'
import { isUuid } from '../id'

/** A place in a list: the values that rows are ordered by, as text, and the row's id. */
export interface Position {
  keys: readonly (string | null)[]
  id: string
}

/**
 * Describes what a position is read for: it has as many values as the order, and one for each that no row is without.
 */
export interface CursorOrder {
  name: string
  keys: readonly { column: { property: string; nullable: boolean } }[]
}

/** The argument that a cursor is given in. */
export type CursorArgument = 'after' | 'before'

const version = 2

/** Three texts of 255 characters, four bytes each, in base64. */
const longest = 6_000

/**
 * The opaque text of a position in a list with the given order. It holds no authority: a position of another tenant's
 * row is only a place between one's own rows.
 */
export function encodeCursor(order: string, position: Position): string {
  return Buffer.from(JSON.stringify([version, order, position.keys, position.id])).toString('base64url')
}

/** Reads a cursor again. Throws BAD_USER_INPUT when it is malformed or comes from a list in another order. */
export function decodeCursor(order: CursorOrder, cursor: string, argument: CursorArgument): Position {
  const [found, foundOrder, keys, id] = parse(cursor, argument)
  if (found !== version || !areKeys(keys) || typeof id !== 'string' || !isUuid(id)) throw malformed(argument)
  if (foundOrder !== order.name)
    throw badUserInput(`${argument}: this cursor belongs to a list in another order. Start again without it.`)
  if (
    keys.length !== order.keys.length ||
    keys.some((key, place) => key === null && !order.keys[place]!.column.nullable)
  )
    throw malformed(argument)
  return { keys, id }
}

const areKeys = (keys: unknown): keys is (string | null)[] =>
  Array.isArray(keys) && keys.every((key) => key === null || typeof key === 'string')

/** Returns what a cursor that PostgreSQL or the decoder cannot read is answered with. */
export function malformed(argument: CursorArgument): Error {
  const [other, page] = argument === 'after' ? ['endCursor', 'previous'] : ['startCursor', 'following']
  return badUserInput(
    `${argument}: not a cursor of this list. Use pageInfo.${other} or an edge’s cursor of the ${page} page; ` +
      'to start at the end of the list, leave it out.',
  )
}

function parse(cursor: string, argument: CursorArgument): unknown[] {
  if (cursor.length > longest) throw malformed(argument)
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    return Array.isArray(value) ? value : []
  } catch {
    throw malformed(argument)
  }
}
