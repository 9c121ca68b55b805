import type { Duplex } from 'node:stream'
import pg from 'pg'
import { beginText, bindName, bindText, placeOf, type Bound, type Session } from './binding'

/** The parts of pg 8.23.1 the binding takes hold of. They are not public: the version is pinned, openDatabase() tests the effect. */
interface Wire {
  readonly stream: Duplex
  /** Which names pg takes for parsed on this connection. */
  readonly parsedStatements: Record<string, string>
  parse(message: { text: string }): void
  bind(message: { statement?: string; values?: readonly unknown[] }): void
  execute(message: null): void
  close(message: { type: 'S'; name: string }): void
  sync(): void
  once(event: 'readyForQuery' | 'end', listener: () => void): void
  removeListener(event: 'readyForQuery' | 'end', listener: () => void): void
}
interface WireQuery {
  name: string | undefined
  readonly text: string
  submit(connection: Wire): Error | null
  prepare(connection: Wire): void
  handleDataRow(message: unknown): void
  handleCommandComplete(message: unknown, connection: Wire): void
  handleError(error: Error, connection: Wire): void
}
type Callback = (error: Error | null, result: pg.QueryResult) => void
const WireQuery = pg.Query as unknown as new (
  config: object,
  values: undefined,
  callback: Callback,
) => WireQuery

/** One statement and its binding in one message batch, ended by one Sync: without BEGIN the batch is one transaction. */
export class BoundQuery extends WireQuery {
  #place: ReturnType<typeof placeOf> = 'inside'
  #completed = 0
  readonly #session: Session
  readonly #bound: Bound
  readonly #isNamed: boolean

  /** @param config as pg's; with a name (any) the statement is prepared under a name of the connection's choice */
  constructor(session: Session, bound: Bound, { name, ...config }: pg.QueryConfig, callback: Callback) {
    super(config, undefined, callback)
    this.#session = session
    this.#bound = bound
    this.#isNamed = name !== undefined && session.mode === 'prepared'
  }

  requiresPreparation(): boolean {
    return true
  }

  override submit(connection: Wire): Error | null {
    try {
      this.#place = placeOf(this.#session, this.#bound, this.text)
    } catch (error) {
      return error as Error
    }
    if (this.#isNamed) this.name = this.#session.names.of(this.text)
    return super.submit(connection)
  }

  override prepare(connection: Wire): void {
    // First in the batch, because the server skips what follows a failing statement.
    for (const name of this.#session.names.takeDropped()) {
      connection.close({ type: 'S', name })
      delete connection.parsedStatements[name]
    }
    if (this.#place === 'begin') {
      connection.parse({ text: beginText(this.#bound, this.text) })
      connection.bind({})
      connection.execute(null)
      this.#sendBinding(connection)
      connection.sync()
      return
    }
    if (this.#place === 'alone') this.#sendBinding(connection)
    super.prepare(connection)
  }

  #sendBinding(connection: Wire): void {
    const isPrepared = this.#session.mode === 'prepared'
    if (!isPrepared) connection.parse({ text: bindText })
    connection.bind({ statement: isPrepared ? bindName : '', values: this.#bound.settings })
    connection.execute(null)
  }

  /** Whether the answer now arriving is the statement's: the binding answers before a lone statement and after BEGIN. */
  #isOwn(): boolean {
    return this.#completed === (this.#place === 'alone' ? 1 : 0)
  }

  override handleDataRow(message: unknown): void {
    if (this.#isOwn()) super.handleDataRow(message)
  }

  override handleCommandComplete(message: unknown, connection: Wire): void {
    if (this.#isOwn()) super.handleCommandComplete(message, connection)
    this.#completed += 1
  }

  /** Tells of a server's error once the connection is ready again, so that its transaction state can be relied on. */
  override handleError(error: Error, connection: Wire): void {
    // Whatever failed (a result type that a migration changed, a lost statement), the next use is parsed afresh.
    if (this.#isNamed) this.#session.names.forget(this.text)
    if (!(error instanceof pg.DatabaseError)) return super.handleError(error, connection)
    const settle = () => {
      connection.removeListener('readyForQuery', settle)
      connection.removeListener('end', settle)
      super.handleError(error, connection)
    }
    connection.once('readyForQuery', settle)
    connection.once('end', settle)
  }
}
