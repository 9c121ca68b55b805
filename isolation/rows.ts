import type { Client } from 'pg'
import type { EntityModel } from '../kernel/schema/entity-model'
import type { AttackedTenant } from './population'

/** A row as JSON, by entity property. */
export type Row = Readonly<Record<string, unknown>>

/** Describes what stands in the tables, read past every wall: what attacks aim at, and what they must not find. */
export interface Rows {
  /** Some rows of a tenant's, the latest first; of what is everybody's, everybody's. Empty for what is no entity. */
  samples(tenant: AttackedTenant, type: string): readonly Row[]
  /** The id of the first sample. Throws when there is none: an id of something else would aim at nothing. */
  id(tenant: AttackedTenant, type: string): string
  /** Reads the samples of a tenant again, of these types. */
  refresh(tenant: AttackedTenant, types: readonly string[]): Promise<void>
  /** The properties that are unique within the tenant. */
  uniqueProperties(type: string): string[]
  /** The entity that a property refers to. */
  parentOf(type: string, property: string): string | null
}

export async function readRows(
  client: Client,
  models: ReadonlyMap<string, EntityModel>,
  tenants: readonly AttackedTenant[],
): Promise<Rows> {
  const samples = new Map<string, Row[]>()
  const read = async (tenant: AttackedTenant, model: EntityModel) =>
    samples.set(`${tenant.id} ${model.name}`, await samplesOf(client, model, tenant))
  for (const model of models.values()) for (const tenant of tenants) await read(tenant, model)
  const byTable = new Map([...models.values()].map((model) => [model.table, model.name]))
  const uniques = await uniqueColumns(client)
  const parents = await parentTables(client)
  const rows: Rows = {
    samples: (tenant, type) => samples.get(`${tenant.id} ${type}`) ?? [],
    id(tenant, type) {
      const [row] = rows.samples(tenant, type)
      if (!row) throw new Error(`${tenant.slug} has no row of ${type}: nothing can be stolen there`)
      return String(row['id'])
    },
    async refresh(tenant, types) {
      for (const type of types) if (models.has(type)) await read(tenant, models.get(type)!)
    },
    uniqueProperties: (type) => {
      const model = models.get(type)
      return [...(model?.columns.values() ?? [])]
        .filter((column) => uniques.has(`${model!.table} ${column.sql}`))
        .map(({ property }) => property)
    },
    parentOf: (type, property) => {
      const model = models.get(type)
      const column = model?.columns.get(property)
      const table = column && parents.get(`${model!.table} ${column.sql}`)
      return (table && byTable.get(table)) ?? null
    },
  }
  return rows
}

/** Rows that are read of each table. */
const mostSamples = 20

/** The latest rows, so that they are none of those everything else depends on. */
async function samplesOf(client: Client, model: EntityModel, tenant: AttackedTenant): Promise<Row[]> {
  const own = model.tenantOwned ? 'tenant_id = $1' : model.name === 'Tenant' ? 'id = $1' : '$1 <> id'
  const conditions = [own, ...(model.softDeleted ? ['deleted_at IS NULL'] : [])]
  const order = model.columns.has('id') ? 'ORDER BY id DESC' : ''
  const text = `SELECT to_jsonb(t) AS row FROM ${model.table} t WHERE ${conditions.join(' AND ')} ${order} LIMIT ${mostSamples}`
  const { rows } = await client.query<{ row: Record<string, unknown> }>(text, [tenant.id])
  // Nobody aims with what is encrypted: the graph shows its owner the value.
  const columns = [...model.columns.values()].filter(({ property }) => !model.encrypted.has(property))
  return rows.map(({ row }) =>
    Object.fromEntries(columns.map(({ property, sql }) => [property, row[sql.slice(1, -1)] ?? null])),
  )
}

const quotedTable = `format('%s.%s', '"' || n.nspname || '"', '"' || c.relname || '"')`

/** `table column` of every column that is unique beside the tenant, in the models' spelling. */
async function uniqueColumns(client: Client): Promise<Set<string>> {
  const text = `SELECT ${quotedTable} || ' "' || a.attname || '"' AS name
       FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
      WHERE i.indisunique AND NOT i.indisprimary AND a.attname <> 'tenant_id' AND n.nspname !~ '^pg_'`
  const { rows } = await client.query<{ name: string }>(text)
  return new Set(rows.map(({ name }) => name))
}

/** `table column` → the table it refers to. */
async function parentTables(client: Client): Promise<Map<string, string>> {
  const text = `SELECT ${quotedTable} || ' "' || a.attname || '"' AS name, format('%s.%s', '"' || pn.nspname || '"', '"' || p.relname || '"') AS parent
       FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (k.conkey)
      WHERE k.contype = 'f' AND a.attname <> 'tenant_id'`
  const { rows } = await client.query<{ name: string; parent: string }>(text)
  return new Map(rows.map(({ name, parent }) => [name, parent]))
}

/** Names every encrypted column of the product. */
export const encryptedColumns = (models: Iterable<EntityModel>): string[] =>
  [...models].flatMap(({ name, encrypted: columns }) => [...columns.keys()].map((one) => `${name}.${one}`))
