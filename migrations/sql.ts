import type { MigrationInterface, QueryRunner } from 'typeorm'
import { comparedName, type NameComparison } from './names'
import { subgraphNames, type SubgraphName } from '../kernel/schema/subgraph-names'

/** A login role of the application: one per subgraph and one for the gateway. */
export type ApplicationRole = `app_${SubgraphName | 'gateway'}`

export const subgraphRoles: readonly ApplicationRole[] = subgraphNames.map((name) => `app_${name}` as const)
export const applicationRoles: readonly ApplicationRole[] = [...subgraphRoles, 'app_gateway']

/** Owns every table. Nobody logs in as it; the migrator acts as it. */
export const ownerRole = 'app_owner'
/** Owns the functions that look across tenants. It can read the columns they name, and nothing else. */
export const lookupRole = 'app_lookup'

/** The tables that hold no tenant's rows, or (tenants) are the tenants. Every other table has a tenant_id. */
export const globalTables: readonly string[] = [
  'tenancy.tenants',
  'tenancy.countries',
  'tenancy.industries',
  'tenancy.plans',
  'tenancy.plan_prices',
  'tenancy.sellers',
  'tenancy.kept_documents',
  'identity.permissions',
  'identity.operators',
  'identity.operator_sessions',
  'shared.platform_actions',
  'gateway.supergraphs',
  'gateway.schema_versions',
  'gateway.operations',
  'gateway.operation_days',
  'shared.platform_jobs',
]

/** One part of a migration: what makes it, and what takes it away again. */
export interface Step {
  up: string[]
  down: string[]
}

/** A step in plain SQL. */
export function sql(up: string | string[], down: string | string[]): Step {
  return { up: [up].flat(), down: [down].flat() }
}

/**
 * Refuses to take a migration back that would lose rows which nothing else tells of: a last step, so that it is asked first.
 * @param what would be lost, and a query that has a row for each
 */
export function refuseDown(what: string, query: string): Step {
  return sql(
    [],
    `DO $$ BEGIN
  IF EXISTS (${query}) THEN
    RAISE EXCEPTION 'This migration is not taken back: ${what} would be lost. Restore a backup instead'
      USING ERRCODE = 'restrict_violation';
  END IF;
END $$`,
  )
}

/** A migration as TypeORM takes it. */
export type Migration = new () => MigrationInterface

/**
 * A migration: its steps in order; taking it back runs them backwards.
 * @param number the digits that its file begins with: its place among the others. TypeORM orders migrations by 13 digits
 * at the end of their name.
 */
export function migration(number: number, name: string, steps: Step[]): Migration {
  return class implements MigrationInterface {
    readonly name = `${name}-${String(number).padStart(13, '0')}`

    async up(runner: QueryRunner): Promise<void> {
      for (const statement of steps.flatMap((step) => step.up)) await runner.query(statement)
    }

    async down(runner: QueryRunner): Promise<void> {
      for (const statement of [...steps].reverse().flatMap((step) => step.down)) await runner.query(statement)
    }
  }
}

export type Privilege = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE'
/** Describes what each application role may do with a table. */
export type Grants = Partial<Record<ApplicationRole, readonly Privilege[]>>

export interface Reference {
  /** The parent, as schema.table. Its key is (tenant_id, id). */
  table: string
  /** None sets null: PostgreSQL would do it, distributed ones refuse it for keys that hold the tenant. */
  onDelete?: 'CASCADE' | 'RESTRICT' | 'NO ACTION'
  /** Checked when the transaction ends: a row may be referred to before it is written. */
  deferred?: boolean
  /** Holds what its index holds after tenant_id, as in CREATE INDEX; the column alone when not given. */
  index?: string
}

export interface Index {
  /** Columns after the leading tenant_id, as in CREATE INDEX: 'status, created_at DESC'. */
  columns: string
  unique?: boolean
  where?: string
  using?: 'btree' | 'gin' | 'gist' | 'brin'
}

/** The columns of an index for an order by a text in the order of the language (Unicode's root collation), ids last. */
export function byLanguage(column: string): string {
  return `${column} COLLATE "und-x-icu", id`
}

export interface TenantTable {
  schema: string
  table: string
  /** Column name -> type and constraints. tenant_id, id, version, created_at and updated_at come by themselves. */
  columns: Record<string, string>
  /** Which of the columns that come by themselves this table does without (append-only tables have no version). */
  without?: readonly ('id' | 'version' | 'created_at' | 'updated_at')[]
  /** The key after tenant_id; ['id'] when not given. */
  primaryKey?: readonly string[]
  /** Unique within the tenant. */
  unique?: readonly (readonly string[])[]
  /** Column -> how its texts are compared: names that people know a thing by, no two alike within the tenant. */
  names?: Readonly<Record<string, NameComparison>>
  /** Name -> condition that every row meets. */
  checks?: Record<string, string>
  /** Column -> parent. The key is composite, so a row cannot even reference another tenant's row. Indexed. */
  references?: Record<string, Reference>
  indexes?: readonly (string | Index)[]
  /** 'hash': by tenant into so many parts. 'month': by the month of an instant column, which is part of the key. */
  partition?: { by: 'hash'; parts: number } | { by: 'month'; column: string }
  /** When not given, the schema's own subgraph may read and write everything. */
  grants?: Grants
}

const standardColumns = {
  id: 'uuid NOT NULL',
  version: 'int NOT NULL DEFAULT 1',
  created_at: 'timestamptz(3) NOT NULL DEFAULT now()',
  updated_at: 'timestamptz(3) NOT NULL DEFAULT now()',
} as const

/**
 * A table whose every row belongs to one tenant: tenant first in every key and index, row level security enabled
 * and forced, the tenant's policy, the owner's policy and the grants. Whoever updates a row sets `updated_at` as well.
 */
export function tenantTable(table: TenantTable): Step {
  const name = `${table.schema}.${table.table}`
  const has = (column: keyof typeof standardColumns) => !table.without?.includes(column)
  const standard = (column: keyof typeof standardColumns) =>
    has(column) ? [`${column} ${standardColumns[column]}`] : []
  const key = table.primaryKey ?? (table.partition?.by === 'month' ? [table.partition.column, 'id'] : ['id'])
  const lines = [
    // Filled by the database from the tenant of the connection: one source of truth.
    `tenant_id uuid NOT NULL DEFAULT (current_setting('app.tenant_id'))::uuid REFERENCES tenancy.tenants (id) ON DELETE CASCADE`,
    ...standard('id'),
    ...Object.entries(table.columns).map(([column, type]) => `${column} ${type}`),
    ...Object.entries(table.names ?? {}).map(([column, by]) => comparedName(column, by)),
    ...standard('version'),
    ...standard('created_at'),
    ...standard('updated_at'),
    `PRIMARY KEY (${['tenant_id', ...key].join(', ')})`,
    ...(table.unique ?? []).map(
      (columns) =>
        `CONSTRAINT ${table.table}_${columns.join('_')}_key UNIQUE (tenant_id, ${columns.join(', ')})`,
    ),
    ...Object.entries(table.names ?? {}).map(
      ([column, by]) => `CONSTRAINT ${table.table}_${column}_${by}_key UNIQUE (tenant_id, ${column}_${by})`,
    ),
    ...Object.entries(table.checks ?? {}).map(
      ([check, condition]) => `CONSTRAINT ${table.table}_${check}_check CHECK (${condition})`,
    ),
    ...Object.entries(table.references ?? {}).map(([column, parent]) =>
      foreignKey(table.table, column, parent),
    ),
  ]
  const referring = Object.entries(table.references ?? {}).map(([column, { index }]) => index ?? column)
  const indexes = [...referring, ...(table.indexes ?? [])]
  return {
    up: [
      `CREATE TABLE ${name} (\n  ${lines.join(',\n  ')}\n)${partitionClause(table.partition)}`,
      ...indexes.map((index) => createIndex(name, index)),
      ...rowLevelSecurity(name),
      ...partitions(name, table.partition),
      ...grantStatements(name, table.grants ?? everything(`app_${table.schema as SubgraphName}`)),
    ],
    down: [`DROP TABLE ${name}`],
  }
}

/**
 * Columns that an existing tenant table gets, with their references and indexes; rolled back, they go again. For example
 * `addColumns('hr.courses', { room_id: 'uuid' }, { room_id: { table: 'hr.rooms' } })`.
 *
 * @param name the table, with its schema
 * @param columns column -> type and constraints; NOT NULL needs a default, since there are rows
 * @param references column -> parent, as in {@link TenantTable}
 * @param indexes for orders and filters by the new columns, as in {@link TenantTable}
 */
export function addColumns(
  name: string,
  columns: Readonly<Record<string, string>>,
  references: Readonly<Record<string, Reference>> = {},
  indexes: readonly (string | Index)[] = [],
): Step {
  const table = name.split('.')[1]!
  const added = [
    ...Object.entries(columns).map(([column, type]) => `ADD COLUMN ${column} ${type}`),
    ...Object.entries(references).map(([column, parent]) => `ADD ${foreignKey(table, column, parent)}`),
  ]
  const referring = Object.entries(references).map(([column, { index }]) => index ?? column)
  return {
    up: [
      `ALTER TABLE ${name} ${added.join(', ')}`,
      ...[...referring, ...indexes].map((index) => createIndex(name, index)),
    ],
    down: [
      `ALTER TABLE ${name} ${Object.keys(columns)
        .map((column) => `DROP COLUMN ${column}`)
        .join(', ')}`,
    ],
  }
}

/** The rights of a subgraph over its own table. */
export function everything(role: ApplicationRole): Grants {
  return { [role]: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] }
}

/** The same rights for several roles. */
export function grant(roles: readonly ApplicationRole[], privileges: readonly Privilege[]): Grants {
  return Object.fromEntries(roles.map((role) => [role, privileges]))
}

export function grantStatements(name: string, grants: Grants): string[] {
  return Object.entries(grants).map(
    ([role, privileges]) => `GRANT ${privileges.join(', ')} ON ${name} TO ${role}`,
  )
}

/** A table that belongs to no tenant: reference data that every tenant reads (countries, permissions, plans). */
export function globalTable(table: {
  schema: string
  table: string
  /** Column name -> type and constraints, all of them. */
  columns: Record<string, string>
  /** Table constraints, the primary key first. */
  constraints: readonly string[]
  grants: Grants
}): Step {
  const name = `${table.schema}.${table.table}`
  if (!globalTables.includes(name))
    throw new Error(`${name} is not on the list of global tables in migrations/sql.ts`)
  const lines = [
    ...Object.entries(table.columns).map(([column, type]) => `${column} ${type}`),
    ...table.constraints,
  ]
  return {
    up: [`CREATE TABLE ${name} (\n  ${lines.join(',\n  ')}\n)`, ...grantStatements(name, table.grants)],
    down: [`DROP TABLE ${name}`],
  }
}

/** A column for a closed set: text and a check, so that adding a value is one short migration. */
export function oneOf(column: string, values: readonly string[]): string {
  return `text NOT NULL CHECK (${column} IN (${values.map((value) => `'${value}'`).join(', ')}))`
}

/**
 * The policy `tenant`, which shows the application roles the rows of their connection's tenant.
 * Without a tenant it raises (42704, 22P02) instead of showing nothing, which would read like "no rows". It holds no
 * sub-select and is not for PUBLIC, or a distributed PostgreSQL would refuse it, or ask it of the owner too.
 * @param tenantColumn the column that names the tenant
 * @returns its condition as it is written and as the catalogue prints it, and the roles it is for
 */
export function tenantPolicy(tenantColumn = 'tenant_id') {
  return {
    condition: `${tenantColumn} = current_setting('app.tenant_id')::uuid`,
    printed: `(${tenantColumn} = (current_setting('app.tenant_id'::text))::uuid)`,
    roles: applicationRoles.join(', '),
  }
}

/**
 * Row level security, forced, with the tenant's policy and the owner's. Without the owner's policy the owner could
 * not add a foreign key or fill a column, and with a tenant set would accept violations of the other tenants.
 * @param tenantColumn the column that names the tenant
 */
export function rowLevelSecurity(name: string, tenantColumn = 'tenant_id'): string[] {
  const { condition, roles } = tenantPolicy(tenantColumn)
  return [
    `ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`,
    `ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`,
    `CREATE POLICY tenant ON ${name} TO ${roles} USING (${condition}) WITH CHECK (${condition})`,
    `CREATE POLICY owner_all ON ${name} TO ${ownerRole} USING (true) WITH CHECK (true)`,
  ]
}

function foreignKey(table: string, column: string, parent: Reference): string {
  const { onDelete = 'NO ACTION', deferred } = parent
  const checked = deferred ? ' DEFERRABLE INITIALLY DEFERRED' : ''
  return `CONSTRAINT ${table}_${column}_fkey FOREIGN KEY (tenant_id, ${column}) REFERENCES ${parent.table} (tenant_id, id) ON DELETE ${onDelete}${checked}`
}

function createIndex(name: string, index: string | Index): string {
  const { columns, unique, where, using } = typeof index === 'string' ? ({ columns: index } as Index) : index
  const method = using ? ` USING ${using}` : ''
  return `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ON ${name}${method} (tenant_id, ${columns})${where ? ` WHERE ${where}` : ''}`
}

function partitionClause(partition: TenantTable['partition']): string {
  if (!partition) return ''
  return partition.by === 'hash'
    ? ' PARTITION BY HASH (tenant_id)'
    : ` PARTITION BY RANGE (${partition.column})`
}

/** Partitions inherit neither row level security nor policies: each gets its own. */
function partitions(name: string, partition: TenantTable['partition']): string[] {
  if (!partition) return []
  if (partition.by === 'month') return ['SELECT shared.ensure_partitions(12)']
  return Array.from({ length: partition.parts }, (_, part) => part).flatMap((part) => [
    `CREATE TABLE ${name}_${part} PARTITION OF ${name} FOR VALUES WITH (MODULUS ${partition.parts}, REMAINDER ${part})`,
    ...rowLevelSecurity(`${name}_${part}`),
  ])
}
