import { AsyncLocalStorage } from 'node:async_hooks'
import type pg from 'pg'
import { QueryFailedError, type DataSource, type EntityManager } from 'typeorm'
import type { Binding, IsolationLevel, Statement, TenantClient } from './tenant'

export interface Transaction {
  /** Rows as arrays of values in select-list order; row-values.ts says as what they come. */
  rows(statement: Statement): Promise<unknown[][]>
  /** The number of rows touched. */
  run(statement: Statement): Promise<number>
  /** Undoes only the work given when it fails, and passes its error on. Savepoints may be nested, not interleaved. */
  savepoint<T>(work: () => Promise<T>): Promise<T>
  /** TypeORM, for cold writes: insert, update, delete, query builder. */
  manager: EntityManager
}

/** Sends one statement on a bound client. */
export function send(
  client: pg.Client,
  { name, text, values }: Statement,
): Promise<pg.QueryArrayResult<unknown[]>> {
  return client.query<unknown[]>({ name, text, values: values as unknown[], rowMode: 'array' })
}

/**
 * Whether a connection may serve others: no transaction is left open, and none of its prepared statements was lost
 * (26000; the binding is one of them).
 */
export function isClean(client: pg.Client, error?: unknown): boolean {
  return client.getTransactionStatus() === 'I' && (error as { code?: string } | undefined)?.code !== '26000'
}

/**
 * Runs `work` in one transaction on `client`, which `dataSource` pooled: see Database.transaction.
 * @param connect checks out the query runner's connection
 */
export async function runTransaction<T>(
  dataSource: DataSource,
  connect: (connecting: Promise<TenantClient>) => Promise<TenantClient>,
  binding: Binding,
  work: (tx: Transaction) => Promise<T>,
  isolation?: IsolationLevel,
): Promise<T> {
  const runner = dataSource.createQueryRunner()
  const client = await connect(runner.connect() as Promise<TenantClient>)
  const tx = transactionOn(client, runner.manager)
  let failure: unknown
  try {
    client.bind(binding, isolation)
    await runner.startTransaction()
    const result = await work(tx)
    await runner.commitTransaction()
    if (client.getTransactionStatus() !== 'I')
      throw new Error('Nothing was committed: a nested transaction of the manager was not awaited')
    return result
  } catch (error) {
    // TypeORM's wrapping carries the parameters along, secrets among them.
    failure = error instanceof QueryFailedError ? error.driverError : error
    if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined)
    throw failure
  } finally {
    tx.end()
    client.unbind()
    if (!isClean(client, failure)) await client.end()
    await runner.release()
  }
}

/** The savepoint that the running code is inside of, and the one around it. */
interface Savepoint {
  name: string
  /** The open savepoints of its transaction. */
  open: Savepoint[]
  outer: Savepoint | undefined
}
const enclosing = new AsyncLocalStorage<Savepoint>()

function transactionOn(client: TenantClient, manager: EntityManager): Transaction & { end(): void } {
  const open: Savepoint[] = []
  let made = 0
  let hasEnded = false

  /** After the end the connection serves another tenant: a forgotten promise must not reach it. */
  const sendHere = async (statement: Statement) => {
    if (hasEnded) throw new Error('This transaction has ended: await everything that it does')
    return send(client, statement)
  }

  /** Of two that overlap, the failure of one would silently undo the other. */
  function enter(): Savepoint {
    let outer = enclosing.getStore()
    while (outer && outer.open !== open) outer = outer.outer
    if (outer !== open.at(-1)) throw new Error('Savepoints overlap: await one before the next begins')
    const savepoint = { name: `savepoint_${++made}`, open, outer: enclosing.getStore() }
    open.push(savepoint)
    return savepoint
  }

  return {
    manager,
    rows: async (statement) => (await sendHere(statement)).rows,
    run: async (statement) => (await sendHere(statement)).rowCount ?? 0,
    async savepoint(work) {
      const savepoint = enter()
      try {
        await sendHere({ text: `SAVEPOINT ${savepoint.name}` })
        const result = await enclosing.run(savepoint, work)
        await sendHere({ text: `RELEASE SAVEPOINT ${savepoint.name}` })
        return result
      } catch (error) {
        await sendHere({ text: `ROLLBACK TO SAVEPOINT ${savepoint.name}` })
        await sendHere({ text: `RELEASE SAVEPOINT ${savepoint.name}` })
        throw error
      } finally {
        open.splice(open.indexOf(savepoint))
      }
    },
    end: () => void (hasEnded = true),
  }
}
