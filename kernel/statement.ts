import type { Statement } from './connection/database'

export type { Statement } from './connection/database'

/** A statement that PostgreSQL prepares once per connection, under a name that the connection chooses. */
export function prepared(text: string, values: readonly unknown[]): Statement {
  return { name: 'prepared', text, values }
}

/** The most parameters that PostgreSQL takes in one statement. */
const mostParameters = 65_535

/** Statements of more rows are parsed each time: every number of rows is another text, and the long ones fill memory. */
const mostPreparedRows = 20

/**
 * The statements that add rows: one, or more where the rows hold more values than one takes; none for no rows. Rows come
 * as `VALUES`: a distributed PostgreSQL refuses `INSERT … SELECT` into tables with row level security.
 * @param into `INSERT INTO table (columns)`, the columns of `shared` first
 * @param rows each the values of the other columns
 * @param options.shared values that every row has
 * @param options.after what follows the rows: `ON CONFLICT …`, `RETURNING …`
 */
export function insertStatements(
  into: string,
  rows: readonly (readonly unknown[])[],
  { shared = [], after = '' }: { shared?: readonly unknown[]; after?: string } = {},
): Statement[] {
  const width = rows[0]?.length ?? 0
  const most = Math.floor((mostParameters - shared.length) / Math.max(width, 1))
  const statements: Statement[] = []
  for (let start = 0; start < rows.length; start += most) {
    const values = [...shared]
    const common = shared.map((_, place) => `$${place + 1}`)
    const lists = rows
      .slice(start, start + most)
      .map((row) => `(${[...common, ...row.map((value) => `$${values.push(value)}`)].join(', ')})`)
    const text = `${into} VALUES ${lists.join(', ')} ${after}`
    statements.push(lists.length > mostPreparedRows ? { text, values } : prepared(text, values))
  }
  return statements
}

/** Collects the parameters of a statement while its text is written. */
export class Parameters {
  readonly values: unknown[] = []

  /** Adds a value and returns its placeholder. */
  add(value: unknown): string {
    this.values.push(value)
    return `$${this.values.length}`
  }
}
