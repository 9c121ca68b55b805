import type { ClientBase } from 'pg'
import { insertStatements } from '../../kernel/statement'

/** A row to insert, by column name. Values of jsonb columns are written as JSON. */
export type DemoRow = Readonly<Record<string, unknown>>

/**
 * Inserts rows with as few statements as hold them (`COPY` does not work under row level security). The tenant is the one
 * that the transaction has set.
 * @param types column name -> PostgreSQL type, in the order of writing; when not given, the columns are those of the
 *   first row, and objects and arrays are JSON
 */
export async function insertRows(
  client: ClientBase,
  table: string,
  types: Readonly<Record<string, string>> | undefined,
  rows: readonly DemoRow[],
): Promise<void> {
  const columns = Object.keys(types ?? rows[0] ?? {})
  const isJson = (column: string, value: unknown) =>
    types ? types[column] === 'jsonb' && value !== null : typeof value === 'object' && value !== null
  const lists = rows.map((row) =>
    columns.map((column) => {
      const value = row[column] ?? null
      return isJson(column, value) ? JSON.stringify(value) : value
    }),
  )
  const into = `INSERT INTO ${table} (${columns.join(', ')})`
  for (const { text, values } of insertStatements(into, lists)) await client.query(text, values as unknown[])
}
