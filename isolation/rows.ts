import type { Client } from 'pg'
import type { EntityModel } from '../kernel/schema/entity-model'
import type { AttackedTenant } from './population'

/** A row as JSON, by entity property. */
export type Row = Readonly<Record<string, unknown>>

/** What stands in the tables, read past every wall: what attacks aim at, and what they must not find. */
export interface Rows {
  /** A row of a tenant's; null when it has none of this entity. */
  sample(tenant: AttackedTenant, type: string): Row | null
  /** An id that is right for the type where the tenant has rows of it, else one of its users'. */
  id(tenant: AttackedTenant, type: string): string
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
  const samples = new Map<string, Row>()
  for (const model of models.values()) {
    for (const tenant of tenants) {
      const row = await sampleOf(client, model, tenant)
      if (row) samples.set(`${tenant.id} ${model.name}`, row)
    }
  }
  const byTable = new Map([...models.values()].map((model) => [model.table, model.name]))
  const uniques = await uniqueColumns(client)
  const parents = await parentTables(client)
  const rows: Rows = {
    sample: (tenant, type) => samples.get(`${tenant.id} ${type}`) ?? null,
    id(tenant, type) {
      if (type === 'Tenant') return tenant.id
      return String((rows.sample(tenant, type) ?? rows.sample(tenant, 'User')!)['id'])
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

/** The latest row, so that it is none of those everything else depends on. */
async function sampleOf(client: Client, model: EntityModel, tenant: AttackedTenant): Promise<Row | null> {
  const isTenant = model.name === 'Tenant'
  if (!model.tenantOwned && !isTenant) return null
  const conditions = [
    `${isTenant ? 'id' : 'tenant_id'} = $1`,
    ...(model.softDeleted ? ['deleted_at IS NULL'] : []),
  ]
  const order = model.columns.has('id') ? 'ORDER BY id DESC' : ''
  const text = `SELECT to_jsonb(t) AS row FROM ${model.table} t WHERE ${conditions.join(' AND ')} ${order} LIMIT 1`
  const { rows } = await client.query<{ row: Record<string, unknown> }>(text, [tenant.id])
  const [found] = rows
  if (!found) return null
  return Object.fromEntries(
    [...model.columns.values()].map(({ property, sql }) => [property, found.row[sql.slice(1, -1)] ?? null]),
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
