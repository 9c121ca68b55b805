import { hash } from 'node:crypto'
import { Client } from 'pg'
import { insertDemoData } from '../database/demo'
import { demoTenantIds, demoUserIds, type DemoSlug } from '../database/demo/ids'
import { addMissingRows } from '../database/rows'
import { uuidv7 } from '../kernel/id'
import { subgraphNames } from '../kernel/schema/subgraph-names'
import { genesis } from '../kernel/sealing/chain'
import type { Stage } from './stage'

/** The currency in which attacks compare amounts. */
export const comparedCurrency = 'EUR'

/** The password of everybody here. */
export const password = 'correct horse battery'

export interface AttackedTenant {
  id: string
  slug: string
  /** The domain of its users' e-mail addresses: a twin's users are called as their originals. */
  domain: string
}

/** The tenant whose users attack. */
export const attacker: AttackedTenant = { id: demoTenantIds.acme, slug: 'acme', domain: 'acme' }
/** A tenant with other content: whatever of it is seen is recognised by its text too. */
export const stranger: AttackedTenant = { id: demoTenantIds.globex, slug: 'globex', domain: 'globex' }

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi

export interface TenantTable {
  /** Quoted, with its schema. */
  name: string
  schema: string
  table: string
  tenantColumn: string
  hasId: boolean
  /** Those a row is written with: generated ones are not. */
  columns: string[]
}

/** Every table that holds tenants' rows, from the catalogue; partitions are reached through their parents. */
export async function tenantTables(client: Client): Promise<TenantTable[]> {
  const { rows } = await client.query<TenantTable>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name, n.nspname::text AS schema, c.relname::text AS "table",
            t.attname::text AS "tenantColumn",
            EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'id') AS "hasId",
            ARRAY(SELECT quote_ident(attname) FROM pg_attribute
                  WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute t ON t.attrelid = c.oid AND NOT t.attisdropped AND t.attname =
            CASE WHEN n.nspname = 'tenancy' AND c.relname = 'tenants' THEN 'id' ELSE 'tenant_id' END
      WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_' ORDER BY 1`,
  )
  return rows
}

/** Two contrasting tenants with rows in every table, and twins of the first that differ from it in nothing but ids and slug. */
export async function populate(stage: Stage, twins: number): Promise<AttackedTenant[]> {
  const owner = new Client({ connectionString: stage.migratorUrl })
  await owner.connect()
  await owner.query('BEGIN')
  const now = new Date()
  await insertDemoData(owner, { password, rounds: 4, now })
  // What the demo has no story for is a tenant's all the same: an attack on nothing proves nothing.
  for (const { id, slug } of [attacker, stranger])
    await addMissingRows(owner, {
      tenantId: id,
      seed: slug,
      now,
      further: 2,
      // Somebody who is asked has left traces.
      // Positions are given by who seals and who dispatches, or they make no sense.
      given: {
        'shared.audit_logs': { actor_id: demoUserIds[slug as DemoSlug].admin, position: null, hash: null },
        'shared.audit_chains': {
          position: 0,
          hash: genesis,
          signed_position: 0,
          signed_hash: null,
          signed_at: null,
        },
        // Asked of everybody from a later day on: until then whoever asks is let in.
        'identity.sign_in_policies': {
          mfa_required: true,
          mfa_scopes: ['hr:employee:write'],
          grace_days: 90,
          required_since: now.toISOString(),
        },
        'shared.outbox_events': { position: null },
        'shared.event_positions': { given: 0, dispatched: 0 },
        // Of one user, so that there is one after another; all count as second factors (see `Lab.renew`).
        'identity.credentials': { user_id: demoUserIds[slug as DemoSlug].admin },
        // A condition is parsed.
        'finance.commission_rules': { criteria: 'true' },
      },
    })
  for (const { id, slug } of [attacker, stranger])
    for (const subgraph of subgraphNames)
      await owner.query(
        'INSERT INTO shared.jobs (tenant_id, id, subgraph, name, requested_by_id) VALUES ($1, $2, $3, $4, $5)',
        [id, uuidv7(), subgraph, 'attacked', demoUserIds[slug as DemoSlug].admin],
      )
  // Amounts are compared in one currency: whichever department is asked about has a budget in it.
  await owner.query(
    `UPDATE finance.budgets b SET currency = $1 WHERE b.month % 2 = 1 AND NOT EXISTS (SELECT FROM finance.budgets o
       WHERE (o.tenant_id, o.department_id, o.year, o.month, o.currency) = (b.tenant_id, b.department_id, b.year, b.month, $1))`,
    [comparedCurrency],
  )
  // Of the price list, too, every field has a value somewhere.
  await owner.query(
    `WITH former AS (INSERT INTO tenancy.plans (id, code, name, description, retired_at)
       VALUES ($1, 'STARTER', 'Starter of 2024', 'As it was', now()) RETURNING id)
     INSERT INTO tenancy.plan_prices (id, plan_id, version, currency, billing_interval, amount, valid_from, valid_until)
     SELECT $2, id, 1, 'EUR', 'MONTHLY', 3900, '2024-01-01', '2999-01-01' FROM former`,
    [uuidv7(), uuidv7()],
  )
  await owner.query("UPDATE tenancy.tenants SET trial_ends_at = now() + interval '1 month'")
  await owner.query('COMMIT')
  await owner.end()
  return addTwins(stage, 1, twins)
}

/** Twins with the numbers `first` to `last`, made over two connections, since a server has more than one core. */
export async function addTwins(stage: Stage, first: number, last: number): Promise<AttackedTenant[]> {
  const twins = Array.from({ length: last - first + 1 }, (_, place): AttackedTenant => ({
    id: uuidv7(),
    slug: `twin-${first + place}`,
    domain: attacker.domain,
  }))
  const [originals, global] = await withoutTriggers(stage, async (client) => {
    const read: { table: TenantTable; rows: string[] }[] = []
    for (const table of await tenantTables(client))
      read.push({ table, rows: await rowsToCopy(client, table) })
    return [read, await globalIds(client)] as const
  })
  const waiting = [...twins]
  const copy = () =>
    withoutTriggers(stage, async (client) => {
      for (let twin = waiting.shift(); twin; twin = waiting.shift())
        for (const { table, rows } of originals) await copyRows(client, table, rows, twin, global)
    })
  await Promise.all(twins.slice(0, 2).map(copy))
  return twins
}

/** As superuser with neither triggers nor foreign keys, so that rows are written as they are, in any order. */
export async function withoutTriggers<T>(stage: Stage, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: stage.superuserUrl })
  await client.connect()
  try {
    await client.query('BEGIN')
    await client.query('SET LOCAL session_replication_role = replica')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } finally {
    await client.end()
  }
}

/** Ids of rows that are everybody's, which therefore stay as they are. */
async function globalIds(client: Client): Promise<Set<string>> {
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'id' AND a.atttypid = 'uuid'::regtype
      WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND c.oid <> 'tenancy.tenants'::regclass
        AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'tenant_id')`,
  )
  const ids = new Set<string>()
  for (const { name } of tables) {
    const text = ['SELECT id FROM', name].join(' ')
    for (const { id } of (await client.query<{ id: string }>(text)).rows) ids.add(id)
  }
  return ids
}

/** The attacker's rows of a table, as JSON texts. */
async function rowsToCopy(client: Client, table: TenantTable): Promise<string[]> {
  const text = `SELECT to_jsonb(t)::text AS row FROM ${table.name} t WHERE ${table.tenantColumn} = $1`
  return (await client.query<{ row: string }>(text, [attacker.id])).rows.map(({ row }) => row)
}

/** The same rows for a twin: their ids are mapped one to one, wherever in the row they stand. */
async function copyRows(
  client: Client,
  table: TenantTable,
  rows: readonly string[],
  twin: AttackedTenant,
  global: ReadonlySet<string>,
): Promise<void> {
  if (rows.length === 0) return
  const isTenants = table.tenantColumn === 'id'
  const copies = rows.map((row) => {
    const copy = row.replace(uuid, (id) =>
      id === attacker.id ? twin.id : global.has(id) ? id : mappedId(id, twin),
    )
    return isTenants ? copy.replace(/"slug": "[^"]*"/, `"slug": "${twin.slug}"`) : copy
  })
  const columns = table.columns.join(', ')
  const write = `INSERT INTO ${table.name} (${columns}) OVERRIDING SYSTEM VALUE
     SELECT ${columns} FROM jsonb_populate_recordset(NULL::${table.name}, $1::jsonb)`
  await client.query(write, [`[${copies.join(',')}]`])
}

/** Keeps the time that a UUID version 7 begins with, since partitions are found by it, and the variant. */
function mappedId(id: string, twin: AttackedTenant): string {
  const digest = hash('sha256', `${twin.id} ${id}`, 'hex')
  return `${id.slice(0, 20)}${digest.slice(0, 3)}-${digest.slice(3, 15)}`
}
