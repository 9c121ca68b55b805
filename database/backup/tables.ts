import type { Client } from 'pg'
import { quote } from '../roles'

/** A table whose rows a backup holds; of a partitioned one the whole. */
export interface StoredTable {
  /** schema.table, quoted where it must be. */
  name: string
  /** In the order they are written; what the database works out itself is left out. */
  columns: string[]
  /** Range-partitioned by month: the first month there is, as YYYY-MM-01; null for other tables. */
  firstMonth: string | null
}

/** Says how many rows a table has, and a digest of what stands in them, whatever their order. */
export interface TableState {
  rows: number
  digest: string
}

/** Every table of the product but the record of migrations, by name. */
export async function storedTables(client: Client): Promise<StoredTable[]> {
  const { rows } = await client.query<StoredTable>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name,
       ARRAY(SELECT attname::text FROM pg_attribute
             WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum) AS columns,
       (SELECT to_char(to_date(min(right(p.relname, 6)), 'YYYYMM'), 'YYYY-MM-DD')
        FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhrelid
        JOIN pg_partitioned_table t ON t.partrelid = i.inhparent
        WHERE i.inhparent = c.oid AND t.partstrat = 'r' AND p.relname ~ '_[0-9]{6}$') AS "firstMonth"
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname <> 'migrations'
       AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
     ORDER BY 1`,
  )
  return rows
}

/** A query for all rows of a table in the order of its columns. */
export function selectAll({ name, columns }: StoredTable): string {
  return `SELECT ${columns.map(quote).join(', ')} FROM ${name}`
}

/** Counts and digests a table's rows. Texts of values depend on the session's settings: see {@link steadyTexts}. */
export async function stateOf(client: Client, table: StoredTable): Promise<TableState> {
  const text = `SELECT count(*) AS rows, coalesce(sum(('x' || left(md5(r::text), 15))::bit(60)::bigint), 0)::text AS digest
    FROM (${selectAll(table)}) AS r`
  const { rows } = await client.query<{ rows: string; digest: string }>(text)
  return { rows: Number(rows[0]!.rows), digest: rows[0]!.digest }
}

/** Settings under which the same value has the same text on every server, and long work is not cut short. */
export const steadyTexts = [
  "SET timezone = 'UTC'",
  "SET datestyle = 'ISO, YMD'",
  "SET intervalstyle = 'postgres'",
  'SET extra_float_digits = 1',
  "SET bytea_output = 'hex'",
  "SET client_encoding = 'UTF8'",
  'SET statement_timeout = 0',
  'SET idle_in_transaction_session_timeout = 0',
]
