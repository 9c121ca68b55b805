import { encodeCursor, malformed, type CursorOrder, type Position } from './cursor'
import type { Slice } from './page-request'

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

/** Describes what the rows of a page are placed by. */
export interface Placing extends Slice {
  order: CursorOrder
  /** Is called with each row whose cursor is read, where the cursor holds what is recorded. */
  noteCursor?: ((row: Record<string, unknown>) => void) | undefined
}

/** A class, as is the edge: V8 makes each object with a getter of its own anew. */
class Page<E> implements Connection<E> {
  /** @param hasMore whether rows follow in the direction in which the page was read */
  constructor(
    private readonly placing: Placing,
    readonly nodes: E[],
    private readonly hasMore: boolean,
    readonly totalCount: number | null,
  ) {}

  get edges() {
    return this.nodes.map((node) => new Edge(this.placing, node))
  }

  get pageInfo() {
    const { placing, nodes, hasMore } = this
    const ofRow = (node: E | undefined) => (node === undefined ? null : cursorOf(placing, node))
    // On the side that it was read from, the row of the cursor is next.
    const isContinued = placing.position !== null
    return {
      hasNextPage: placing.backward ? isContinued : hasMore,
      hasPreviousPage: placing.backward ? hasMore : isContinued,
      get startCursor() {
        return ofRow(nodes[0])
      },
      get endCursor() {
        return ofRow(nodes.at(-1))
      },
    }
  }
}

class Edge<E> {
  constructor(
    private readonly placing: Placing,
    readonly node: E,
  ) {}

  get cursor(): string {
    return cursorOf(this.placing, this.node)
  }
}

/**
 * The connection of a page's rows, as they were read: from its end when it is read backwards, and one more when there are
 * further ones. Cursors and edges are made when they are read: most questions ask for neither.
 */
export function connectionOf<E>(
  page: Placing,
  rows: Record<string, unknown>[],
  totalCount: number | null,
): Connection<E> {
  const hasMore = rows.length > page.size
  const nodes = (hasMore ? rows.slice(0, page.size) : rows) as E[]
  return new Page(page, page.backward ? nodes.reverse() : nodes, hasMore, totalCount)
}

function cursorOf({ order, noteCursor }: Placing, node: unknown): string {
  const row = node as Record<string, unknown>
  noteCursor?.(row)
  return encodeCursor(order.name, positionOf(row, order.keys))
}

const positionOf = (row: Record<string, unknown>, keys: Placing['order']['keys']): Position => ({
  keys: keys.map(({ column }) => textOf(row[column.property])),
  id: String(row['id']),
})

const textOf = (value: unknown): string | null =>
  value === null || value === undefined ? null : String(value)

/** A cursor's key is text from outside: what the column's type cannot read is the client's error, not ours. */
export function asMalformedCursor({ position, backward }: Slice, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return position && code.startsWith('22') ? malformed(backward ? 'before' : 'after') : error
}
