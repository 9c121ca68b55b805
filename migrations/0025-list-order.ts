import { migration, sql } from './sql'

/** Unicode's root collation: texts in the order in which people read them. Lists name it in ORDER BY. */
const language = 'COLLATE "und-x-icu"'

/** Table → columns of texts that its lists are ordered by. */
const texts: Readonly<Record<string, readonly string[]>> = {
  'finance.transactions': ['transaction_number', 'category'],
  'hr.departments': ['name'],
  'hr.employees': ['employee_number', 'last_name', 'position'],
  'identity.users': ['email', 'full_name'],
  'insights.customers': ['external_id', 'last_name', 'company'],
  'tenancy.invoices': ['invoice_number'],
}

/** The same of tables that are everybody's. */
const globalTexts: Readonly<Record<string, readonly string[]>> = {
  'tenancy.countries': ['name', 'iso_code_2', 'iso_code_3', 'iso_numeric'],
  'tenancy.industries': ['code', 'name'],
}

/** Those whose order was the one of bytes: nothing reads these indexes any longer. */
const replaced: Readonly<Record<string, readonly string[]>> = {
  'finance.transactions': ['category'],
  'hr.employees': ['last_name', 'position'],
  'identity.users': ['full_name'],
  'insights.customers': ['last_name', 'company'],
}

const each = (tables: Readonly<Record<string, readonly string[]>>) =>
  Object.entries(tables).flatMap(([table, columns]) => columns.map((column) => ({ table, column })))

/** The name that PostgreSQL gives to an index on (tenant_id, column, id). */
const byteIndex = (table: string, column: string) => `${table}_tenant_id_${column}_id_idx`

function create(table: string, column: string, columns: string) {
  const [schema, name] = table.split('.')
  const index = `${name}_${column}_text_idx`
  return sql(`CREATE INDEX ${index} ON ${table} (${columns})`, `DROP INDEX ${schema}.${index}`)
}

/** An index for every order that lists have, (tenant, value, id), its nulls last. */
export const listOrder = migration(25, 'list-order', [
  ...each(texts).map(({ table, column }) => create(table, column, `tenant_id, ${column} ${language}, id`)),
  ...each(globalTexts).map(({ table, column }) => create(table, column, `${column} ${language}, id`)),
  ...each(replaced).map(({ table, column }) =>
    sql(`DROP INDEX ${byteIndex(table, column)}`, `CREATE INDEX ON ${table} (tenant_id, ${column}, id)`),
  ),
  sql(
    'CREATE INDEX ON compliance.compliance_records (tenant_id, status, id)',
    'DROP INDEX compliance.compliance_records_tenant_id_status_id_idx',
  ),
])
