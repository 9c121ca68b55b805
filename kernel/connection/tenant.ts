import pg from 'pg'
import { bindName, bindText, boundTo, checkScope, placeOf } from './binding'
import type { Beginning, Binding, BindingMode, Bound, Parser, Session } from './binding'
import { BoundQuery, type Ahead, type QueryConfig } from './bound-query'
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
   * Every statement from here to unbind() runs for this tenant: single statements, or one transaction. With `beginning`
   * the first statement begins a transaction, in its own message batch. Throws when the binding is malformed, when it is
   * another than that of the running code, or when the client is bound already.
   */
  bind(binding: Binding, beginning?: Beginning): Pick<Bound, 'used'>
  unbind(): void
  /**
   * One statement; rows are arrays. Statements `before` go ahead of it in the same message batch: when one of them
   * fails, those that follow are not run.
   */
  send(statement: Statement, before?: readonly Statement[]): Promise<pg.QueryArrayResult<unknown[]>>
}

export interface TenantClientOptions {
  /** Default 10,000; 0: none. Travels with the binding, because a pooler would lose a session's setting. */
  statementTimeoutMs?: number
  /** Says how many prepared statements a connection keeps, default 500. */
  statementNames?: number
  /** Called for every statement sent under a binding, transaction control included, the binding itself not. */
  onStatement?: (statement: Statement, binding: Binding) => void
}

type Done = (error: Error | null, result?: pg.QueryResult) => void

/** The server answers COMMIT of a failed transaction with success and the word ROLLBACK. */
function uncommitted(text: string, answer: pg.QueryResult): Error | null {
  if (answer.command !== 'ROLLBACK' || !/^\s*(commit|end)\b/i.test(text)) return null
  return new Error(
    'Nothing was committed: a statement of this transaction failed and its error was swallowed',
  )
}

/**
 * A pg client that sends each statement together with the tenant it was bound to. Give it to a pool as `Client`;
 * bind() after each checkout, unbind() before the release. An unbound client runs statements without a tenant and
 * refuses transactions.
 */
export function tenantClient(
  mode: BindingMode,
  options: TenantClientOptions = {},
): new (config?: string | pg.ClientConfig) => TenantClient {
  class Client extends BoundClient {
    constructor(config?: string | pg.ClientConfig) {
      super(config, mode, options)
    }
  }
  return Client as unknown as new (config?: string | pg.ClientConfig) => TenantClient
}

/** One connection, with its transaction's state. */
class BoundClient extends pg.Client implements Session {
  begun: Bound | null = null
  readonly names: Session['names']
  readonly parsers = new Map<string, readonly Parser[]>()
  #bound: Bound | null = null
  #last: Promise<unknown> | null = null
  /** Says how many statements have no answer yet. */
  #waiting = 0

  readonly #statementTimeoutMs: number
  readonly #onStatement: TenantClientOptions['onStatement']

  constructor(
    config: string | pg.ClientConfig | undefined,
    readonly mode: BindingMode,
    options: TenantClientOptions,
  ) {
    const given = typeof config === 'string' ? { connectionString: config } : config
    super({ ...given, pipeline: mode === 'pipeline' })
    this.names = statementNames(options.statementNames ?? 500, mode === 'prepared')
    this.#statementTimeoutMs = options.statementTimeoutMs ?? 10_000
    this.#onStatement = options.onStatement
    // A lost connection fails the statement that waits for it; without a listener it would end the process.
    this.on('error', () => undefined)
  }

  /**
   * Returns what pg sends to open the session. Poolers know these two settings; in UTC, instants are read by string
   * work alone.
   */
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
    if (this.mode !== 'prepared') return this
    try {
      await super.query({
        name: bindName,
        text: bindText,
        values: [...boundTo(null, this.#statementTimeoutMs).settings],
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

  bind(binding: Binding, beginning?: Beginning): Bound {
    if (this.#bound) throw new Error('This connection is bound already: check out one for each binding')
    const bound = boundTo(binding, this.#statementTimeoutMs, beginning)
    if (beginning) checkScope(bound)
    return (this.#bound = bound)
  }

  unbind(): void {
    this.#bound = null
  }

  tell(bound: Bound, { text, values }: Ahead): void {
    if (bound.binding) this.#onStatement?.({ text, values }, bound.binding)
  }

  /** As pg's, by promise or callback. Statements run one after the other; cursors and streams are refused. */
  override query(config: unknown, values?: unknown, callback?: unknown): never {
    const given = typeof config === 'string' ? { text: config } : (config as QueryConfig)
    const done = (typeof values === 'function' ? values : callback) as Done | undefined
    const result = this.#run(Array.isArray(values) ? { ...given, values: values as unknown[] } : given, [])
    if (!done) return result as never
    result.then((answer) => done(null, answer), done)
    return undefined as never
  }

  send(
    { name, text, values }: Statement,
    before: readonly Statement[] = [],
  ): Promise<pg.QueryArrayResult<unknown[]>> {
    const statement: QueryConfig = { name, text, values: values as unknown[], rowMode: 'array' }
    return this.#run(statement, before) as Promise<pg.QueryArrayResult<unknown[]>>
  }

  /** Not an async function: of the promises of each statement the answer's own is the only one that is needed. */
  #run(statement: QueryConfig, before: readonly Ahead[]): Promise<pg.QueryResult> {
    try {
      if ('submit' in statement) throw new Error('Cursors and streams would bypass the tenant binding')
      const bound = this.#bound ?? boundTo(null, this.#statementTimeoutMs)
      checkScope(bound)
      const send = () =>
        this.mode === 'pipeline'
          ? this.#sendPipelined(statement, bound, before)
          : this.#sendBatch(statement, bound, before)
      // One at a time, so that the transaction state is known when the next one is sent.
      this.#waiting += 1
      const result = this.#last ? this.#last.then(send, send) : send()
      this.#last = result
      return result
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  #answered(): void {
    if (--this.#waiting === 0) this.#last = null
  }

  #sendBatch(statement: QueryConfig, bound: Bound, before: readonly Ahead[]): Promise<pg.QueryResult> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, answer?: pg.QueryResult) => {
        this.#answered()
        const fault = error ?? uncommitted(statement.text, answer!)
        if (fault) reject(fault)
        else resolve(answer!)
      }
      super.query(new BoundQuery(this, bound, statement, before, done) as unknown as pg.Query)
    })
  }

  /** Statements `before` are awaited: what pg cannot send it leaves out, and COMMIT must not go without it. */
  async #sendPipelined(
    statement: QueryConfig,
    bound: Bound,
    before: readonly Ahead[],
  ): Promise<pg.QueryResult> {
    try {
      for (const one of before) await this.#sendTransaction(one, bound)
      return await this.#sendTransaction(statement, bound)
    } finally {
      this.#answered()
    }
  }

  async #sendTransaction(statement: Ahead, bound: Bound): Promise<pg.QueryResult> {
    const place = placeOf(this, bound, statement.text)
    const binding = { name: bindName, text: bindText, values: bound.settings }
    const begin = { text: place === 'first' ? bound.begin! : 'BEGIN' }
    if (place === 'first') this.tell(bound, begin)
    this.tell(bound, statement)
    const batch = {
      alone: [begin, binding, statement, { text: 'COMMIT' }],
      begin: [statement, binding],
      first: [begin, binding, statement],
      inside: [statement],
    }[place]
    const answers = await Promise.allSettled(this.#together(batch.map((one) => this.#extended(one))))
    const failed = answers.find((answer) => answer.status === 'rejected')
    if (failed) this.names.forget(statement.text)
    if (failed) throw failed.reason
    const answer = (answers[batch.indexOf(statement)] as PromiseFulfilledResult<pg.QueryResult>).value
    const fault = uncommitted(statement.text, answer)
    if (fault) throw fault
    return answer
  }

  /** Extended, because the simple protocol would take several statements in one text, COMMIT among them. */
  #extended({ name, text, values, ...config }: Ahead): QueryConfig {
    const known = name === undefined || name === bindName ? name : this.names.of(text)
    return { ...config, name: known, text, values: values as unknown[], queryMode: 'extended' }
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
