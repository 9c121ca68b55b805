import type { ClientBase } from 'pg'
import { insertStatements } from '../../kernel/statement'
import type { Table } from '../rows'

/** A row to insert, by column name. Values of jsonb columns are written as JSON. */
export type DemoRow = Readonly<Record<string, unknown>>

/**
 * Inserts rows with as few statements as hold them (`COPY` does not work under row level security). The tenant is the one
 * that the transaction has set; what a row leaves out is null.
 */
export async function insertRows(client: ClientBase, table: Table, rows: readonly DemoRow[]): Promise<void> {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const isJson = new Set(table.columns.filter(({ type }) => type === 'jsonb').map(({ name }) => name))
  const lists = rows.map((row) =>
    columns.map((column) => {
      const value = row[column] ?? null
      return isJson.has(column) && value !== null ? JSON.stringify(value) : value
    }),
  )
  const into = `INSERT INTO ${table.name} (${columns.join(', ')})`
  for (const { text, values } of insertStatements(into, lists)) await client.query(text, values as unknown[])
}
