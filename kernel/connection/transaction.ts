import { AsyncLocalStorage } from 'node:async_hooks'
import type pg from 'pg'
import { QueryFailedError, type DataSource, type EntityManager, type QueryRunner } from 'typeorm'
import type { Bound } from './binding'
import type { Binding, IsolationLevel, Statement, TenantClient } from './tenant'

export interface Transaction {
  /** Rows as arrays of values in select-list order; row-values.ts says as what they come. */
  rows(statement: Statement): Promise<unknown[][]>
  /** The number of rows touched. */
  run(statement: Statement): Promise<number>
  /** Sends a statement together with COMMIT: for what belongs to the transaction and answers nothing. */
  atEnd(statement: Statement): void
  /** Undoes only the work given when it fails, and passes its error on. Savepoints may be nested, not interleaved. */
  savepoint<T>(work: () => Promise<T>): Promise<T>
  /** TypeORM, for cold writes: insert, update, delete, query builder. */
  manager: EntityManager
}

/**
 * Tells whether a connection may serve others: no transaction is left open, and none of its prepared statements was
 * lost (26000; the binding is one of them).
 */
export function isClean(client: pg.Client, error?: unknown): boolean {
  return client.getTransactionStatus() === 'I' && (error as { code?: string } | undefined)?.code !== '26000'
}

/**
 * Runs `work` in one transaction on `client`: see Database.transaction. The first statement brings BEGIN and the binding
 * along; nothing is sent when there is none.
 */
export async function runTransaction<T>(
  dataSource: DataSource,
  client: pg.PoolClient & TenantClient,
  binding: Binding,
  work: (tx: Transaction) => Promise<T>,
  isolation?: IsolationLevel,
): Promise<T> {
  const tx = transactionOn(client, dataSource)
  let bound: Pick<Bound, 'used'> | undefined
  let failure: unknown
  try {
    bound = client.bind(binding, { isolation })
    const result = await work(tx)
    await tx.commit(bound.used)
    return result
  } catch (error) {
    // TypeORM's wrapping carries the parameters along, secrets among them.
    failure = error instanceof QueryFailedError ? error.driverError : error
    if (bound?.used) await client.send({ text: 'ROLLBACK' }).catch(() => undefined)
    throw failure
  } finally {
    tx.end()
    client.unbind()
    client.release(!isClean(client, failure))
  }
}

/** TypeORM has no public way to be given a connection, or one with a transaction. */
function runnerOn(dataSource: DataSource, client: pg.Client): QueryRunner & { transactionDepth: number } {
  const state = { databaseConnection: client, isTransactionActive: true, transactionDepth: 1 }
  return Object.assign(dataSource.createQueryRunner(), state)
}

/** The savepoint that the running code is inside of, and the one around it. */
interface Savepoint {
  name: string
  /** The open savepoints of its transaction. */
  open: Savepoint[]
  outer: Savepoint | undefined
}
const enclosing = new AsyncLocalStorage<Savepoint>()

interface OpenTransaction extends Transaction {
  /** @param hasBegun false when nothing was sent so far */
  commit(hasBegun: boolean): Promise<void>
  end(): void
}

function transactionOn(client: TenantClient, dataSource: DataSource): OpenTransaction {
  const open: Savepoint[] = []
  const atEnd: Statement[] = []
  let made = 0
  let runner: ReturnType<typeof runnerOn> | undefined
  let hasEnded = false

  /** After the end the connection serves another tenant: a forgotten promise must not reach it. */
  const sendHere = async (statement: Statement) => {
    if (hasEnded) throw new Error('This transaction has ended: await everything that it does')
    return client.send(statement)
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
    get manager() {
      runner ??= runnerOn(dataSource, client)
      if (hasEnded) void runner.release()
      return runner.manager
    },
    rows: async (statement) => (await sendHere(statement)).rows,
    run: async (statement) => (await sendHere(statement)).rowCount ?? 0,
    atEnd: (statement) => void atEnd.push(statement),
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
    async commit(hasBegun) {
      if (runner && runner.transactionDepth > 1)
        throw new Error('Nothing was committed: a nested transaction of the manager was not awaited')
      if (hasBegun || atEnd.length > 0) await client.send({ name: 'commit', text: 'COMMIT' }, atEnd)
    },
    end() {
      hasEnded = true
      void runner?.release()
    },
  }
}
