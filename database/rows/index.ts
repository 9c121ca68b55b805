import type { ClientBase } from 'pg'
import { readTables, type Table } from './catalogue'
import { makeRow, type RowRequest, type TableRow } from './make'

export { readTables, type Table } from './catalogue'
export { makeRow, type RowRequest, type TableRow } from './make'

/** Rows that a table has at least where it had none. */
const least = 3

/**
 * Adds rows to a tenant's tables until none is empty, and no column is empty in every row of its table, as far as the
 * checks admit. What is there already stays as it is.
 * @param client as the owner, inside a transaction
 * @param request.seed told apart in the texts of the rows
 * @param request.given values by table and column, for what cannot be found by trying
 * @param request.further how many rows each table gets at least, whatever it has; default 0
 * @returns the rows that were added, by table, and `table.column` of what is still empty
 */
export async function addMissingRows(
  client: ClientBase,
  request: Pick<RowRequest, 'tenantId' | 'seed' | 'now'> & {
    given?: Readonly<Record<string, TableRow>>
    further?: number
  },
): Promise<{ made: Map<string, TableRow[]>; empty: string[] }> {
  const { further = 0 } = request
  const made = new Map<string, TableRow[]>()
  const empty: string[] = []
  for (const table of await readTables(client)) {
    const { count, unfilled } = await stateOf(client, table, request.tenantId)
    const rows: TableRow[] = []
    let wanted = unfilled
    const add = async () => {
      const given = request.given?.[table.name]
      const place = count + rows.length
      const row = await makeRow(client, table, { ...request, place, wanted, ...(given && { given }) })
      const left = wanted.filter((name) => row[name] === null)
      const isProgress = left.length < wanted.length
      wanted = left
      rows.push(row)
      return isProgress
    }
    await besidesSums(client, table, async () => {
      if (count === 0) await add()
      while (wanted.length > 0 && hasRoom(table) && (await add()));
      const wantedRows = count === 0 ? Math.max(least, further) : further
      while (rows.length < wantedRows && hasRoom(table)) await add()
    })
    if (rows.length > 0) made.set(table.name, rows)
    empty.push(...wanted.map((name) => `${table.name}.${name}`))
  }
  return { made, empty }
}

const findGuards = `
  SELECT t.tgname AS name, t.tgconstraint <> 0 AS waits, n.nspname AS schema FROM pg_trigger t
    JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.oid = $1::regclass AND NOT t.tgisinternal AND t.tgname ~ '^(add|sum|recount|check)_'`

/**
 * Does something without the guards of a table that compare it with rows of others, documents and the sums of money: rows that are
 * made one by one, from the checks of their table, add up to nothing.
 */
export async function besidesSums(
  client: ClientBase,
  table: Table,
  work: () => Promise<void>,
): Promise<void> {
  const found = await client.query<{ name: string; waits: boolean; schema: string }>(findGuards, [table.name])
  const waiting = found.rows.filter(({ waits }) => waits).map(({ schema, name }) => `${schema}.${name}`)
  const all = async (text: string) => {
    for (const { name } of found.rows) {
      const altering = `ALTER TABLE ${table.name} ${text} TRIGGER ${name}`
      await client.query(altering)
    }
  }
  // What waits for the end of the transaction has its turn before, or the table could not be altered.
  const constraints = `SET CONSTRAINTS ${waiting.join(', ')}`
  if (waiting.length > 0) await client.query(constraints + ' IMMEDIATE')
  await all('DISABLE')
  await work()
  await all('ENABLE')
  if (waiting.length > 0) await client.query(constraints + ' DEFERRED')
}

/** Tells whether ids tell the rows of a table apart: of others there may be one only. */
const hasRoom = (table: Table): boolean => table.columns.some(({ name }) => name === 'id')

/** Says how many rows a tenant has in a table, and which columns are empty in all of them. */
async function stateOf(
  client: ClientBase,
  table: Table,
  tenantId: string,
): Promise<{ count: number; unfilled: string[] }> {
  const optional = table.columns.filter(
    ({ name, nullable, generated }) => nullable && !generated && name !== 'deleted_at',
  )
  const counts = optional.map(({ name }) => `count("${name}")::int`)
  const text = `SELECT ${['count(*)::int', ...counts].join(', ')} FROM ${table.name} WHERE tenant_id = $1`
  const { rows } = await client.query<number[]>({ text, values: [tenantId], rowMode: 'array' })
  const [count, ...filled] = rows[0] as [number, ...number[]]
  return { count, unfilled: optional.filter((_, place) => filled[place] === 0).map(({ name }) => name) }
}
