import { badUserInput } from '../errors'
import { isUuid } from '../id'

/** Where a page ended: the value that rows are ordered by, as text, and the row's id. */
export interface Position {
  key: string | null
  id: string
}

const version = 1

/**
 * The opaque text of a position in a list with the given order. It holds no authority: a position of another tenant's
 * row is only a place between one's own rows.
 */
export function encodeCursor(order: string, position: Position): string {
  return Buffer.from(JSON.stringify([version, order, position.key, position.id])).toString('base64url')
}

/** Reads a cursor again. Throws BAD_USER_INPUT when it is malformed or comes from a list in another order. */
export function decodeCursor(order: string, cursor: string): Position {
  const [found, foundOrder, key, id] = parse(cursor)
  if (
    found !== version ||
    !(key === null || typeof key === 'string') ||
    typeof id !== 'string' ||
    !isUuid(id)
  )
    throw malformed()
  if (foundOrder !== order)
    throw badUserInput('after: this cursor belongs to a list in another order. Start again without it.')
  return { key, id }
}

/** What a cursor that PostgreSQL or the decoder cannot read is answered with. */
export function malformed(): Error {
  return badUserInput(
    'after: not a cursor of this list. Use pageInfo.endCursor or an edge’s cursor of the previous page.',
  )
}

function parse(cursor: string): unknown[] {
  if (cursor.length > 2_000) throw malformed()
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    return Array.isArray(value) ? value : []
  } catch {
    throw malformed()
  }
}
