import type { ClientBase } from 'pg'

/** A column as the catalogue has it. */
export interface Column {
  name: string
  /** As `format_type` writes it without its length: `character varying`, `timestamp with time zone`, `uuid[]`. */
  type: string
  /** Largest number of characters; null when the type sets none. */
  length: number | null
  nullable: boolean
  /** The expression that makes the value, which nobody can write; null for a column that is written. */
  generated: string | null
  default: string | null
}

/** A reference to a parent, without the tenant that both keys begin with. */
export interface Reference {
  columns: string[]
  parent: string
  parentColumns: string[]
  /** Tells whether the parent is a tenant's row too; false for reference data. */
  isTenants: boolean
}

/** Describes what a row of a table must meet. Expressions are PostgreSQL's own text, with bare names of columns. */
export interface Table {
  /** With its schema. */
  name: string
  columns: Column[]
  checks: { name: string; condition: string; columns: string[] }[]
  /** Unique keys, the primary key among them; `nullsEqual`: null is a value like others. */
  keys: { name: string; expressions: string[]; predicate: string | null; nullsEqual: boolean }[]
  references: Reference[]
}

/** Every table whose rows have a `tenant_id`, parents before those that refer to them. */
export async function readTables(client: ClientBase): Promise<Table[]> {
  const { rows } = await client.query<Table>(tablesText)
  return parentsFirst(rows)
}

const columnsOf = (keys: string, table: string): string =>
  `(SELECT json_agg(a.attname ORDER BY k.place) FROM unnest(${keys}) WITH ORDINALITY k(number, place)
      JOIN pg_attribute a ON a.attrelid = ${table} AND a.attnum = k.number WHERE a.attname <> 'tenant_id')`

const tablesText = `
  SELECT format('%I.%I', n.nspname, c.relname) AS name,
    (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, NULL),
              'length', CASE WHEN a.atttypid = 'varchar'::regtype AND a.atttypmod > 4 THEN a.atttypmod - 4 END,
              'nullable', NOT a.attnotnull,
              'generated', CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END,
              'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END) ORDER BY a.attnum)
       FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        AND a.attidentity = '' AND a.attname <> 'tenant_id') AS columns,
    (SELECT coalesce(json_agg(json_build_object('name', k.conname, 'condition', pg_get_expr(k.conbin, k.conrelid),
              'columns', ${columnsOf('k.conkey', 'c.oid')}) ORDER BY k.conname), '[]')
       FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c') AS checks,
    (SELECT coalesce(json_agg(json_build_object('name', u.relname,
              'expressions', (SELECT json_agg(pg_get_indexdef(i.indexrelid, part, true) ORDER BY part)
                                FROM generate_series(1, i.indnkeyatts) part),
              'predicate', pg_get_expr(i.indpred, i.indrelid), 'nullsEqual', i.indnullsnotdistinct) ORDER BY u.relname), '[]')
       FROM pg_index i JOIN pg_class u ON u.oid = i.indexrelid WHERE i.indrelid = c.oid AND i.indisunique) AS keys,
    (SELECT coalesce(json_agg(json_build_object('parent', format('%I.%I', pn.nspname, p.relname),
              'columns', ${columnsOf('k.conkey', 'c.oid')}, 'parentColumns', ${columnsOf('k.confkey', 'p.oid')},
              'isTenants', EXISTS (SELECT FROM pg_attribute WHERE attrelid = p.oid AND attname = 'tenant_id'))
              ORDER BY k.conname), '[]')
       FROM pg_constraint k JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
      WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.conparentid = 0
        AND p.oid <> 'tenancy.tenants'::regclass) AS "references"
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_'
     AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'tenant_id' AND NOT attisdropped)
   ORDER BY 1`

/** A reference that may be empty does not hold a table up when tables wait for each other. */
function parentsFirst(tables: readonly Table[]): Table[] {
  const sorted: Table[] = []
  const waiting = new Set(tables)
  const isFree = (table: Table, mayBeEmpty: boolean) =>
    table.references.every(
      ({ parent, columns }) =>
        parent === table.name ||
        ![...waiting].some(({ name }) => name === parent) ||
        (mayBeEmpty && columns.some((name) => table.columns.find((one) => one.name === name)!.nullable)),
    )
  while (waiting.size > 0) {
    const next =
      [...waiting].find((one) => isFree(one, false)) ?? [...waiting].find((one) => isFree(one, true))
    if (!next) throw new Error(`${[...waiting].map(({ name }) => name).join(', ')} need each other first`)
    sorted.push(next)
    waiting.delete(next)
  }
  return sorted
}
