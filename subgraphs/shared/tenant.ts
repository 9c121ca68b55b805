import pg from 'pg'
import { beginText, bindName, bindText, boundTo, checkScope, placeOf } from './binding'
import type { Binding, BindingMode, Bound, IsolationLevel, Session } from './binding'
import { BoundQuery } from './bound-query'
import { statementNames } from './statement-names'

export { tenantScope, type Binding, type BindingMode, type IsolationLevel } from './binding'

export interface Statement {
  /** When given, the statement is prepared and reused. Only a label: the connection chooses the name it sends. */
  name?: string
  text: string
  values?: readonly unknown[]
}

export interface TenantClient extends pg.Client {
  /**
   * Every statement from here to unbind() runs for this tenant: single statements, or one transaction. Throws when
   * the binding is malformed or the client is bound already.
   */
  bind(binding: Binding, isolation?: IsolationLevel): void
  unbind(): void
}

export interface TenantClientOptions {
  /** Default 10,000; 0: none. Travels with the binding, because a pooler would lose a session's setting. */
  statementTimeoutMs?: number
  /** How many prepared statements a connection keeps, default 500. */
  statementNames?: number
  /** Called for every statement sent under a binding, transaction control included, the binding itself not. */
  onStatement?: (statement: Statement, binding: Binding) => void
}

type QueryConfig = pg.QueryConfig & { queryMode?: 'extended' }
type Done = (error: Error | null, result?: pg.QueryResult) => void

/**
 * A pg client that sends each statement together with the tenant it was bound to. Give it to a pool as `Client`;
 * bind() after each checkout, unbind() before the release. An unbound client runs statements without a tenant and
 * refuses transactions.
 */
export function tenantClient(
  mode: BindingMode,
  options: TenantClientOptions = {},
): new (config?: string | pg.ClientConfig) => TenantClient {
  const { statementTimeoutMs = 10_000, onStatement } = options

  class Client extends pg.Client implements Session {
    begun: Bound | null = null
    readonly mode = mode
    readonly names = statementNames(options.statementNames ?? 500, mode === 'prepared')
    #bound: Bound | null = null
    #last: Promise<unknown> | null = null

    constructor(config?: string | pg.ClientConfig) {
      const given = typeof config === 'string' ? { connectionString: config } : config
      super({ ...given, pipeline: mode === 'pipeline' })
      // A lost connection fails the statement that waits for it; without a listener it would end the process.
      this.on('error', () => undefined)
    }

    /** What pg sends to open the session. Poolers know these two settings; in UTC, instants are read by string work alone. */
    getStartupConf(): object {
      const original = pg.Client.prototype as unknown as { getStartupConf(): object }
      return { ...original.getStartupConf.call(this), TimeZone: 'UTC', DateStyle: 'ISO, YMD' }
    }

    /** As pg's, by promise or callback. */
    override connect(callback?: unknown): never {
      const ready = this.#connect()
      if (!callback) return ready as never
      const done = callback as (error: Error | null, client?: unknown) => void
      ready.then(() => done(null, this), done)
      return undefined as never
    }

    async #connect(): Promise<this> {
      await super.connect()
      if (mode !== 'prepared') return this
      try {
        await super.query({
          name: bindName,
          text: bindText,
          values: [...boundTo(null, statementTimeoutMs).settings],
        })
      } catch (error) {
        await super.end()
        if ((error as { code?: string }).code !== '42P05') throw error
        throw new Error('The pooler mixes up prepared statements: set DATABASE_BINDING=unnamed', {
          cause: error,
        })
      }
      return this
    }

    bind(binding: Binding, isolation?: IsolationLevel): void {
      if (this.#bound) throw new Error('This connection is bound already: check out one for each binding')
      this.#bound = boundTo(binding, statementTimeoutMs, isolation)
    }

    unbind(): void {
      this.#bound = null
    }

    /** As pg's, by promise or callback. Statements run one after the other; cursors and streams are refused. */
    override query(config: unknown, values?: unknown, callback?: unknown): never {
      const given = typeof config === 'string' ? { text: config } : (config as QueryConfig)
      const done = (typeof values === 'function' ? values : callback) as Done | undefined
      const result = this.#run(Array.isArray(values) ? { ...given, values: values as unknown[] } : given)
      if (!done) return result as never
      result.then((answer) => done(null, answer), done)
      return undefined as never
    }

    async #run(statement: QueryConfig): Promise<pg.QueryResult> {
      if ('submit' in statement) throw new Error('Cursors and streams would bypass the tenant binding')
      const bound = this.#bound ?? boundTo(null, statementTimeoutMs)
      checkScope(bound)
      const send = () => {
        if (bound.binding) onStatement?.(statement, bound.binding)
        return mode === 'pipeline' ? this.#sendPipelined(statement, bound) : this.#sendBatch(statement, bound)
      }
      // One at a time, so that the transaction state is known when the next one is sent.
      const result = this.#last ? this.#last.then(send, send) : send()
      this.#last = result
      const clear = () => {
        if (this.#last === result) this.#last = null
      }
      result.then(clear, clear)
      const answer = await result
      // The server answers COMMIT of a failed transaction with success and the word ROLLBACK.
      if (answer.command === 'ROLLBACK' && /^\s*(commit|end)\b/i.test(statement.text))
        throw new Error(
          'Nothing was committed: a statement of this transaction failed and its error was swallowed',
        )
      return answer
    }

    #sendBatch(statement: QueryConfig, bound: Bound): Promise<pg.QueryResult> {
      return new Promise((resolve, reject) => {
        const done = (error: Error | null, result: pg.QueryResult) =>
          error ? reject(error) : resolve(result)
        super.query(new BoundQuery(this, bound, statement, done) as unknown as pg.Query)
      })
    }

    async #sendPipelined(statement: QueryConfig, bound: Bound): Promise<pg.QueryResult> {
      const place = placeOf(this, bound, statement.text)
      const name = statement.name === undefined ? undefined : this.names.of(statement.text)
      // Extended, because the simple protocol would take several statements in one text, COMMIT among them.
      const own: QueryConfig = { ...statement, name, queryMode: 'extended' }
      const binding: QueryConfig = { name: bindName, text: bindText, values: [...bound.settings] }
      const begin: QueryConfig = { ...own, text: beginText(bound, statement.text) }
      const batches = {
        alone: [{ text: 'BEGIN' }, binding, own, { text: 'COMMIT' }],
        begin: [begin, binding],
        inside: [own],
      }
      const answers = await Promise.allSettled(this.#together(batches[place]))
      const failed = answers.find((answer) => answer.status === 'rejected')
      if (failed && name) this.names.forget(statement.text)
      if (failed) throw failed.reason
      return (answers[place === 'alone' ? 2 : 0] as PromiseFulfilledResult<pg.QueryResult>).value
    }

    /** In one packet, without waiting for answers in between. */
    #together(batch: QueryConfig[]): Promise<pg.QueryResult>[] {
      const { stream } = this.connection
      stream.cork()
      try {
        return batch.map((config) => super.query(config))
      } finally {
        stream.uncork()
      }
    }
  }

  return Client as unknown as new (config?: string | pg.ClientConfig) => TenantClient
}
