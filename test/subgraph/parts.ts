import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, type ExecutionResult } from 'graphql'
import { Client } from 'pg'
import { Column, Entity, PrimaryColumn } from 'typeorm'
import { createTenant } from '../../database/tenants'
import { openDatabase, type Database } from '../../kernel/connection/database'
import type { Services } from '../../kernel/context'
import { needs } from '../../kernel/entity'
import { money } from '../../kernel/money'
import { projectRoot } from '../../kernel/process/config'
import { nested, page } from '../../kernel/page'
import { startSubgraph } from '../../kernel/execution/start-subgraph'
import { subgraph, type RunningSubgraph } from '../../kernel/subgraph'
import { tenantTable } from '../../migrations/sql'
import { noServices, request } from '../authorize/three-subgraphs'
import { freshDatabase } from '../support/postgres'

/** A part in store: a column of every kind that lists filter and order by. */
@Entity({ schema: 'hr', name: 'parts' })
export class Part {
  @PrimaryColumn({ name: 'tenant_id', type: 'uuid' })
  tenantId: string
  @PrimaryColumn({ type: 'uuid' })
  id: string
  @Column({ type: 'varchar', length: 50, nullable: true })
  name: string | null
  @Column({ type: 'varchar', length: 50 })
  code: string
  @Column({ type: 'varchar', length: 254, nullable: true })
  email: string | null
  @Column({ type: 'int', nullable: true })
  size: number | null
  @Column({ type: 'double precision', nullable: true })
  weight: number | null
  @Column({ type: 'numeric', nullable: true })
  ratio: string | null
  @Column({ type: 'date', nullable: true })
  due: string | null
  @Column({ name: 'made_at', type: 'timestamptz' })
  madeAt: string
  @Column({ type: 'text', nullable: true })
  kind: string | null
  @Column({ name: 'in_use', type: 'boolean', nullable: true })
  inUse: boolean | null
  @Column({ name: 'whole_id', type: 'uuid', nullable: true })
  wholeId: string | null
  @Column({ type: 'bigint', nullable: true })
  price: string | null
  @Column({ name: 'price_currency', type: 'text', nullable: true })
  priceCurrency: string | null
}

const sdl = `
  "A part." type Part @key(fields: "id") @requiresScopes(scopes: [["hr:part:read"]]) {
    "Id." id: ID!
    "Name." name: String @filter @order @search
    "Code." code: String! @filter @order @search
    "Address." email: EmailAddress @filter @order
    "Size." size: Int @filter @order
    "Weight." weight: Float @filter @order
    "Ratio." ratio: Decimal @filter @order
    "Day." due: Date @filter @order
    "Time." madeAt: DateTime! @filter @order
    "Kind." kind: PartKind @filter @order
    "Use." inUse: Boolean @filter
    "Whole." wholeId: ID @filter
    "Price." price: Money @filter @order
    "Parts of it." parts: PartConnection @requiresScopes(scopes: [["hr:part:read"]])
  }
  "Kinds." enum PartKind { "A." SCREW "B." NUT }
  extend input PartFilter { "Currency." priceCurrency: CurrencyCodeFilter }
  type Query { "Parts." parts: PartConnection @requiresScopes(scopes: [["hr:part:read"]]) }`

const shared = readFileSync(join(projectRoot, 'schema', 'shared.graphql'), 'utf8')

const options = { defaultOrder: { property: 'madeAt', direction: 'DESC' } } as const

export const columns = {
  name: 'varchar(50)',
  code: 'varchar(50) NOT NULL',
  email: 'varchar(254)',
  size: 'int',
  weight: 'double precision',
  ratio: 'numeric',
  due: 'date',
  made_at: 'timestamptz(3) NOT NULL',
  kind: 'text',
  in_use: 'boolean',
  whole_id: 'uuid',
  price: 'bigint',
  price_currency: 'text',
} as const

/** A subgraph that lists parts of one tenant. */
export interface PartsGraph {
  tenantId: string
  owner: Client
  db: Database
  running: RunningSubgraph
  /** Statements since it was emptied. */
  sent: { text: string; values: readonly unknown[] }[]
  ask(query: string, variables?: Record<string, unknown>): Promise<ExecutionResult<Record<string, never>>>
  /** An answer without errors. */
  data<T>(query: string, variables?: Record<string, unknown>): Promise<T>
  close(): Promise<void>
}

export async function startParts(): Promise<PartsGraph> {
  const database = await freshDatabase()
  const owner = new Client({ connectionString: database.migratorUrl })
  await owner.connect()
  const { tenantId } = request([])!.viewer!
  await owner.query('BEGIN')
  await createTenant(owner, { id: tenantId, slug: 'acme', name: 'Acme' })
  const indexes = [
    'name COLLATE "und-x-icu", id',
    'code COLLATE "und-x-icu", id',
    'email COLLATE "und-x-icu", id',
    ...['size', 'weight', 'ratio', 'due', 'made_at', 'kind', 'price'].map((column) => `${column}, id`),
    'whole_id, made_at, id',
  ]
  const without = ['version', 'created_at', 'updated_at'] as const
  for (const statement of tenantTable({ schema: 'hr', table: 'parts', columns, without, indexes }).up)
    await owner.query(statement)
  await owner.query('COMMIT')
  const sent: PartsGraph['sent'] = []
  const db = await openDatabase({
    url: database.urlFor('hr'),
    entities: [Part],
    connections: 2,
    applicationName: 'test',
    onStatement: ({ text, values }) => {
      if (text.startsWith('SELECT ') || text.startsWith('(')) sent.push({ text, values: values ?? [] })
    },
  })
  const typeDefs = parse(`${shared}\n${sdl}`)
  const resolvers = {
    Query: {
      parts: ((_, args, context, info) => page(context, Part, args, info, options)) satisfies List,
    },
    Part: {
      price: needs(Part, ['price', 'priceCurrency'], (row) => money(row.price, row.priceCurrency)),
      parts: needs(Part, ['id'], ({ id }, args: object, context, info) =>
        nested(context, Part, 'wholeId', id, args, info, options),
      ),
    },
  }
  const services = { ...noServices, config: { pageLimit: 100, nestedPageLimit: 50 } } as unknown as Services
  const definition = subgraph('hr', { entities: [Part], resolvers: [resolvers], typeDefs })
  const running = await startSubgraph(definition, db, services)
  const graph: PartsGraph = {
    tenantId,
    owner,
    db,
    running,
    sent,
    ask: (query, variables = {}) =>
      running.execute({
        document: parse(query),
        variables,
        context: request(['hr:part:read'], '01890000-0000-7000-8000-000000000011')!,
      }) as Promise<ExecutionResult<Record<string, never>>>,
    async data<T>(query: string, variables?: Record<string, unknown>) {
      const { data, errors } = await graph.ask(query, variables)
      if (errors || !data) throw new Error(`${query} ${JSON.stringify(variables)}: ${JSON.stringify(errors)}`)
      return data as T
    },
    async close() {
      await running.close()
      await db.close()
      await owner.end()
      await database.drop()
    },
  }
  return graph
}

type List = (
  parent: unknown,
  args: object,
  context: Parameters<typeof page>[0],
  info: Parameters<typeof page>[3],
) => Promise<unknown>
