import pg from 'pg'
import { DataSource } from 'typeorm'
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver'
import { uuidv7 } from '../id'
import { SnakeCaseColumns } from './column-names'
import { Connections } from './connections'
import { askerOf } from './fair-share'
import { rowTypes } from './row-values'
import { tenantClient, type Binding, type BindingMode, type IsolationLevel, type Statement } from './tenant'
import type { TenantClient, TenantClientOptions } from './tenant'
import { isClean, runTransaction, type Transaction } from './transaction'

export { tenantScope, type Binding, type BindingMode, type IsolationLevel, type Statement } from './tenant'
export type { Transaction } from './transaction'

/** The only door to the database: whatever passes carries its tenant. */
export interface Database {
  /** For entity metadata. Queries sent through it have no tenant. */
  dataSource: DataSource
  /** One statement, in one round trip. */
  rows(binding: Binding, statement: Statement): Promise<unknown[][]>
  /**
   * Commits when `work` resolves, rolls back when it throws. Throws as well when `work` resolves but nothing could be
   * committed. The database's errors leave as pg.DatabaseError (code, constraint), those of the manager too.
   */
  transaction<T>(
    binding: Binding,
    work: (tx: Transaction) => Promise<T>,
    options?: { isolation?: IsolationLevel },
  ): Promise<T>
  close(): Promise<void>
}

export interface DatabaseOptions extends TenantClientOptions {
  url: string
  /** TypeORM entity classes. */
  entities: NonNullable<ConstructorParameters<typeof DataSource>[0]['entities']>
  /** The size of this pool. */
  connections: number
  mode?: BindingMode
  applicationName: string
  /** Says how long a statement waits for a free connection, default 5,000; then it is refused as OVERLOADED. */
  connectionTimeoutMs?: number
  /** The server had no room left for a write (SQLSTATE 53100). */
  onDiskFull?: () => void
  /** Receives what an operator should read. Default: a warning of the process. */
  warn?: (message: string) => void
}

const ofAnonymous = new WeakMap<Database, Database>()

/**
 * The same database for a caller who is not signed in: whatever tenant it binds, its connections are of the share that all
 * such callers have together.
 */
export function anonymousDatabase(database: Database): Database {
  const known = ofAnonymous.get(database)
  if (known) return known
  const made: Database = {
    ...database,
    rows: (binding, statement) => database.rows({ ...binding, share: 'anonymous' }, statement),
    transaction: (binding, work, options) =>
      database.transaction({ ...binding, share: 'anonymous' }, work, options),
  }
  ofAnonymous.set(database, made)
  return made
}

/** Sent as it is, past the binding. */
const unbound = pg.Client.prototype.query as (this: pg.Client, text: string) => Promise<pg.QueryResult>

/** Throws unless bound statements, alone and in a transaction, see their tenant, and nothing is left of it afterwards. */
async function verifyBinding(client: TenantClient): Promise<void> {
  const tenantId = uuidv7()
  const text = "SELECT current_setting('app.tenant_id', true) AS tenant"
  const expectTenant = (found: pg.QueryResult<{ tenant: string | null }>, expected: string) => {
    if ((found.rows[0]?.tenant ?? '') !== expected) throw new Error('The tenant binding does not hold')
  }
  client.bind({ tenantId })
  expectTenant(await client.query({ name: 'verify', text }), tenantId)
  expectTenant(await unbound.call(client, text), '')
  await client.query('SELECT 1/0').catch(() => undefined)
  expectTenant(await unbound.call(client, text), '')
  // Prepared, then used again.
  for (let use = 1; use <= 2; use++) {
    const { rows } = await client.send({
      name: 'verify rows',
      text,
      values: [],
    })
    if (rows[0]?.[0] !== tenantId) throw new Error('The tenant binding does not hold')
  }
  await client.query('BEGIN')
  expectTenant(await client.query(text), tenantId)
  await client.query('ROLLBACK')
  expectTenant(await unbound.call(client, text), '')
  client.unbind()
  client.bind({ tenantId }, {})
  expectTenant(await client.query({ name: 'verify', text }), tenantId)
  if (client.getTransactionStatus() !== 'T') throw new Error('Transactions do not begin')
  await client.send({ text: 'COMMIT' }, [{ name: 'verify', text }])
  expectTenant(await unbound.call(client, text), '')
}

/** Tells whether this mode works with the installed pg on this server; connection errors are thrown. */
async function modeWorks(mode: BindingMode, options: DatabaseOptions): Promise<boolean> {
  const client = new (tenantClient(mode))({
    connectionString: options.url,
    application_name: options.applicationName,
  })
  await client.connect()
  try {
    await verifyBinding(client)
    return true
  } catch {
    return false
  } finally {
    await client.end()
  }
}

/** Without this TypeORM's manager would turn instants into Date objects, both ways. */
function keepInstants(driver: PostgresDriver): void {
  const { preparePersistentValue: persist, prepareHydratedValue: hydrate } = driver
  const isInstant = (value: unknown, type: unknown) => type === 'timestamptz' && typeof value === 'string'
  driver.preparePersistentValue = (value, column) =>
    isInstant(value, column.type) ? value : persist.call(driver, value, column)
  driver.prepareHydratedValue = (value, column) =>
    isInstant(value, column.type) ? value : hydrate.call(driver, value, column)
}

/** The mode asked for, or `pipeline` in place of `prepared`. Throws when neither keeps tenants apart. */
async function workingMode(options: DatabaseOptions, warn: (message: string) => void): Promise<BindingMode> {
  const mode = options.mode ?? 'prepared'
  if (await modeWorks(mode, options)) return mode
  if (mode !== 'prepared' || !(await modeWorks('pipeline', options)))
    throw new Error(
      `The tenant binding "${mode}" does not work here: install pg 8.23.1, or behind a pooler set DATABASE_BINDING=unnamed`,
    )
  warn(
    'The tenant binding "prepared" does not work with this version of pg: using "pipeline", which is slower',
  )
  return 'pipeline'
}

/**
 * Connects, and refuses to start when neither the mode asked for nor `pipeline` (in place of `prepared`, with a
 * warning) keeps tenants apart.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const warn = options.warn ?? ((message) => process.emitWarning(message))
  const mode = await workingMode(options, warn)
  const connectionTimeoutMs = options.connectionTimeoutMs ?? 5000
  let isClosing = false
  const dataSource = new DataSource({
    type: 'postgres',
    // Named, so that an installed pg-native cannot take its place: it has no tenant binding.
    driver: { Pool: pg.Pool, defaults: pg.defaults },
    url: options.url,
    entities: options.entities,
    namingStrategy: new SnakeCaseColumns(),
    applicationName: options.applicationName,
    connectTimeoutMS: connectionTimeoutMs,
    poolSize: options.connections,
    installExtensions: false,
    poolErrorHandler: (error: Error) => {
      if (!isClosing) warn(`A database connection was lost: ${error.message}`)
    },
    extra: { Client: tenantClient(mode, options), types: rowTypes },
  })
  await dataSource.initialize()
  const driver = dataSource.driver as PostgresDriver
  keepInstants(driver)
  const pool = driver.master as pg.Pool

  const noticeDiskFull = (error: unknown) => {
    if ((error as { code?: string } | null)?.code === '53100') options.onDiskFull?.()
  }
  const connections = new Connections(pool, options.connections, connectionTimeoutMs, warn)

  async function rows(binding: Binding, statement: Statement): Promise<unknown[][]> {
    const asker = askerOf(binding)
    const taken = connections.take(asker)
    const client = 'then' in taken ? await taken : taken
    let failure: unknown
    try {
      client.bind(binding)
      const answer = await client.send(statement)
      if (client.getTransactionStatus() !== 'I')
        throw new Error('rows() is for single statements: use transaction()')
      return answer.rows
    } catch (error) {
      failure = error
      noticeDiskFull(error)
      throw error
    } finally {
      client.unbind()
      client.release(!isClean(client, failure))
      connections.giveBack(asker)
    }
  }

  return {
    dataSource,
    rows,
    async transaction(binding, work, asked) {
      const asker = askerOf(binding)
      const taken = connections.take(asker)
      const client = 'then' in taken ? await taken : taken
      try {
        return await runTransaction(dataSource, client, binding, work, asked?.isolation)
      } catch (error) {
        noticeDiskFull(error)
        throw error
      } finally {
        connections.giveBack(asker)
      }
    },
    close: () => {
      isClosing = true
      return dataSource.destroy()
    },
  }
}
