import type { PreparedDatabase } from '../database'
import type { Metrics } from '../gateway/http/metrics'
import { assertFreeSpace } from './free-space'
import { openDatabase, type Binding, type Database, type Statement } from '../kernel/connection/database'
import { entityModels, type EntityModel } from '../kernel/schema/entity-model'
import type { Config } from '../kernel/process/config'
import type { Logger } from '../kernel/process/log'
import type { SubgraphName } from '../kernel/schema/subgraph-names'

export type Role = SubgraphName | 'gateway'

/** Says how long a server of somebody else counts as full after it refused a write: its disk cannot be asked. */
const diskFullForMs = 30_000

/**
 * Says how many connections each role's pool gets of the total. Nobody gets fewer than three: a tenant leaves one of
 * them to the others, and with one alone its transactions would stop its reads.
 */
function connectionsPerRole(total: number, roles: number): number {
  return Math.max(3, Math.floor(total / roles))
}

export interface RoleDatabasesOptions {
  config: Config
  log: Logger
  database: Pick<PreparedDatabase, 'urlFor'>
  metrics: Pick<Metrics, 'statements'>
  /** Says how many roles share the configured connections. */
  roles: number
  onStatement?: (role: Role, statement: Statement, binding: Binding) => void
  around?: (role: Role, database: Database) => Database
}

/** The database of one process, as each role sees it. */
export interface RoleDatabases {
  open(role: Role, entities: readonly unknown[]): Promise<Database>
  /** @throws Error when a disk is full, as far as this process can know */
  assertRoomForWrites(): Promise<void>
  /** Models of all entities whose roles were opened. */
  models(): EntityModel[]
  close(): Promise<void>
}

/** Opens pools, each with the login of its role and its part of the connections. */
export function roleDatabases(options: RoleDatabasesOptions): RoleDatabases {
  const { config, log, metrics } = options
  const connections = connectionsPerRole(config.databaseConnections, options.roles)
  const opened: Database[] = []
  let diskFullAt = -Infinity

  return {
    async open(role, entities) {
      const database = await openDatabase({
        url: options.database.urlFor(role),
        entities: entities as Parameters<typeof openDatabase>[0]['entities'],
        connections,
        mode: config.databaseBinding,
        statementTimeoutMs: config.statementTimeoutMs,
        applicationName: `tenantgraph ${role}`,
        warn: (message) => log.warn({ role }, message),
        onDiskFull: () => (diskFullAt = performance.now()),
        onStatement: (statement, binding) => {
          metrics.statements.inc({ role })
          options.onStatement?.(role, statement, binding)
        },
      })
      opened.push(database)
      return options.around?.(role, database) ?? database
    },
    async assertRoomForWrites() {
      if (performance.now() - diskFullAt < diskFullForMs)
        throw new Error('the database server has no room left for writes')
      if (config.databaseUrl === null) await assertFreeSpace(config.dataDir)
    },
    models: () => opened.flatMap(({ dataSource }) => [...entityModels(dataSource).values()]),
    async close() {
      for (const database of opened.splice(0).reverse()) await database.close()
    },
  }
}
