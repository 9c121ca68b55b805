import pg from 'pg'
import { bindName, bindText, placeOf, type Bound, type Parser, type Session } from './binding'

/** The parts of pg 8.23.1 the binding takes hold of. They are not public: the version is pinned, openDatabase() tests the effect. */
interface Wire {
  /** Which names pg takes for parsed on this connection. */
  readonly parsedStatements: Record<string, string>
  _send(message: Buffer): void
  parse(message: { name?: string; text: string }): void
  bind(message: { statement?: string; values?: readonly unknown[] }): void
  describe(message: { type: 'P' }): void
  execute(message: null): void
  close(message: { type: 'S'; name: string }): void
  sync(): void
  once(event: 'readyForQuery' | 'end', listener: () => void): void
  removeListener(event: 'readyForQuery' | 'end', listener: () => void): void
}
interface WireQuery {
  name: string | undefined
  values: readonly unknown[] | undefined
  readonly text: string
  readonly callback: Callback
  submit(connection: Wire): Error | null
  handleRowDescription(message: { fields: { dataTypeID: number }[] }): void
  handleDataRow(message: { fields: unknown[] }): void
  handleCommandComplete(message: { text: string }, connection: Wire): void
  handleReadyForQuery(connection: Wire): void
  handleError(error: Error, connection: Wire): void
}
type Callback = (error: Error | null, result?: pg.QueryResult) => void
const WireQuery = pg.Query as unknown as new (
  config: object | string,
  values: undefined,
  callback: Callback,
) => WireQuery

const { prepareValue } = (pg as unknown as { utils: { prepareValue(value: unknown): unknown } }).utils

/** A statement as pg takes it. */
export type QueryConfig = pg.QueryConfig & { queryMode?: 'extended'; rowMode?: 'array' }

/** A statement that goes ahead of another one in its batch; nobody reads its rows. */
export interface Ahead {
  readonly name?: string
  readonly text: string
  readonly values?: readonly unknown[]
}

/**
 * One statement and its binding in one message batch, ended by one Sync and sent by one write: without BEGIN the batch
 * is one transaction. With `rowMode` array it reads its rows itself; a prepared statement's columns are then described
 * once per connection, because PostgreSQL refuses (0A000) to run one whose columns have changed.
 */
export class BoundQuery extends WireQuery {
  #batch: Buffer | null = null
  /** Says how many statements of the batch complete before this one. */
  #ahead = 0
  #completed = 0
  /** The prepared statements of this batch, by name. */
  readonly #prepared = new Map<string, string>()
  #parsers: readonly Parser[] | undefined
  #fault: Error | null = null
  #tag = ''
  readonly #rows: unknown[][] = []
  readonly #session: Session
  readonly #bound: Bound
  readonly #isNamed: boolean
  readonly #isArray: boolean
  readonly #before: readonly Ahead[]

  /**
   * @param config as pg's; with a name (any) the statement is prepared under a name of the connection's choice
   * @param before statements that go ahead of it in the same batch
   */
  constructor(
    session: Session,
    bound: Bound,
    { name, ...config }: QueryConfig,
    before: readonly Ahead[],
    callback: Callback,
  ) {
    const isArray = config.rowMode === 'array'
    super(isArray ? config.text : config, undefined, callback)
    if (isArray) this.values = config.values
    this.#session = session
    this.#bound = bound
    this.#before = before
    this.#isNamed = name !== undefined
    this.#isArray = isArray
  }

  requiresPreparation(): boolean {
    return true
  }

  /** Writes the whole batch before any of it is sent, so that a value that cannot be sent stops all of it. */
  override submit(connection: Wire): Error | null {
    const messages: Buffer[] = []
    const send = connection._send
    connection._send = (message) => void messages.push(message)
    try {
      this.#write(connection)
    } catch (error) {
      return error as Error
    } finally {
      connection._send = send
    }
    this.#batch = Buffer.concat(messages)
    return super.submit(connection)
  }

  /** Called by submit(). */
  prepare(connection: Wire): void {
    connection._send(this.#batch!)
    this.#batch = null
  }

  #write(connection: Wire): void {
    const [session, bound] = [this.#session, this.#bound]
    const place = placeOf(session, bound, this.text)
    // First in the batch, because the server skips what follows a failing statement.
    for (const name of session.names.takeDropped()) {
      connection.close({ type: 'S', name })
      delete connection.parsedStatements[name]
      session.parsers.delete(name)
    }
    if (place === 'first') this.#writeAhead(connection, { name: 'begin', text: bound.begin! })
    if (place === 'first' || place === 'alone') {
      this.#writeBinding(connection)
      this.#ahead += 1
    }
    for (const statement of this.#before) this.#writeAhead(connection, statement)
    session.tell(bound, this)
    if (this.#isNamed) this.name = this.#nameOf(this.text)
    this.#parsers = this.#isArray ? session.parsers.get(this.name ?? '') : undefined
    this.#writeStatement(connection, this.name, this, this.#parsers === undefined)
    if (place === 'begin') this.#writeBinding(connection)
    connection.sync()
  }

  #writeAhead(connection: Wire, statement: Ahead): void {
    this.#session.tell(this.#bound, statement)
    const name = statement.name === undefined ? undefined : this.#nameOf(statement.text)
    this.#writeStatement(connection, name, statement, false)
    this.#ahead += 1
  }

  #nameOf(text: string): string | undefined {
    const name = this.#session.mode === 'prepared' ? this.#session.names.of(text) : undefined
    if (name) this.#prepared.set(name, text)
    return name
  }

  #writeStatement(
    connection: Wire,
    name: string | undefined,
    { text, values }: Pick<Ahead, 'text' | 'values'>,
    describes: boolean,
  ): void {
    if (!name || connection.parsedStatements[name] === undefined) connection.parse({ name, text })
    connection.bind({ statement: name, values: values?.map(prepareValue) })
    if (describes) connection.describe({ type: 'P' })
    connection.execute(null)
  }

  #writeBinding(connection: Wire): void {
    const isPrepared = this.#session.mode === 'prepared'
    if (!isPrepared) connection.parse({ text: bindText })
    connection.bind({ statement: isPrepared ? bindName : '', values: this.#bound.settings })
    connection.execute(null)
  }

  /**
   * Tells whether the answer now arriving is the statement's, and not that of BEGIN, the binding or statements ahead.
   */
  #isOwn(): boolean {
    return this.#completed === this.#ahead
  }

  override handleRowDescription(message: { fields: { dataTypeID: number }[] }): void {
    if (!this.#isArray) return super.handleRowDescription(message)
    this.#parsers = message.fields.map(({ dataTypeID }) => this.#session.getTypeParser(dataTypeID, 'text'))
  }

  override handleDataRow(message: { fields: unknown[] }): void {
    if (!this.#isOwn()) return
    if (!this.#isArray) return super.handleDataRow(message)
    if (this.#fault) return
    const row = message.fields
    try {
      for (let place = 0; place < row.length; place++) {
        const text = row[place]
        if (text !== null) row[place] = this.#parsers![place]!(text as string)
      }
      this.#rows.push(row)
    } catch (error) {
      this.#fault = error as Error
    }
  }

  override handleCommandComplete(message: { text: string }, connection: Wire): void {
    if (this.#isOwn()) {
      if (this.#isArray) this.#tag = message.text
      else super.handleCommandComplete(message, connection)
    }
    this.#completed += 1
  }

  override handleReadyForQuery(connection: Wire): void {
    for (const [name, text] of this.#prepared) connection.parsedStatements[name] = text
    if (!this.#isArray) return super.handleReadyForQuery(connection)
    if (this.#fault) return this.callback(this.#fault)
    if (this.name) this.#session.parsers.set(this.name, this.#parsers ?? [])
    const count = Number.parseInt(this.#tag.slice(this.#tag.lastIndexOf(' ') + 1), 10)
    const [command] = this.#tag.split(' ', 1)
    const rowCount = Number.isNaN(count) ? null : count
    this.callback(null, {
      rows: this.#rows,
      rowCount,
      command,
      oid: 0,
      fields: [],
    } as unknown as pg.QueryResult)
  }

  /** Tells of a server's error once the connection is ready again, so that its transaction state can be relied on. */
  override handleError(error: Error, connection: Wire): void {
    // Whatever failed (a result type that a migration changed, a lost statement), the next use is parsed afresh.
    for (const text of this.#prepared.values()) this.#session.names.forget(text)
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
