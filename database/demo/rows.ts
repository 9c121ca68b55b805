import type { ClientBase } from 'pg'

/** A row to insert, by column name. Objects are written as JSON. */
export type DemoRow = Readonly<Record<string, unknown>>

/**
 * Inserts rows with one statement, as arrays (`COPY` does not work under row level security). All rows must have the
 * same columns. The tenant is the one that the transaction has set.
 * @param types column name -> PostgreSQL type, in the order of writing
 */
export async function insertRows(
  client: ClientBase,
  table: string,
  types: Readonly<Record<string, string>>,
  rows: readonly DemoRow[],
): Promise<void> {
  const columns = Object.keys(types)
  const arrays = Object.values(types).map((type, place) => `$${place + 1}::${type}[]`)
  const values = columns.map((column) =>
    rows.map((row) => {
      const value = row[column] ?? null
      return typeof value === 'object' && value !== null ? JSON.stringify(value) : value
    }),
  )
  const text = `INSERT INTO ${table} (${columns.join(', ')}) SELECT * FROM unnest(${arrays.join(', ')})`
  await client.query(text, values)
}
