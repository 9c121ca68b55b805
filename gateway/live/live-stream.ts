import type { ServerResponse } from 'node:http'
import type { LoggedEvent } from '../../kernel/events/event-log'
import type { Follower } from './change-feeds'
import type { LiveOperation } from './live-operation'
import type { StreamWriter } from './stream-writers'

/**
 * The outcome of asking for a changed row: the message, in the form of an answer of GraphQL; that there is nothing that the viewer
 * may see; or that it cannot be asked, and how long to wait before it is asked again. A fault may be of this row
 * alone, and for ever.
 */
export type Asked = { result: object } | 'nothing' | { waitMs: number; isFault?: boolean }

/** The viewer may not go on: the stream is over. */
export class StreamRefused extends Error {
  constructor(readonly refusal: unknown) {
    super('The stream is refused')
  }
}

/** The credentials are over: the client comes again with others. */
export class CredentialsExpired extends Error {}

/** The graph has changed since the stream was opened: the client comes again. */
export class StreamOutdated extends Error {}

/** Milliseconds. */
export interface StreamTiming {
  /** After which a stream ends at the latest, and its client comes again with the token of then; a fifth earlier at the earliest. */
  lifeMs: number
  /** Between two looks whether the viewer may go on. */
  beatMs: number
  /** That a reader may take to read what was sent. */
  stalledMs: number
  /** Over which all streams are ended when the schema changes. */
  spreadMs: number
  /** That browsers wait before they come again, at most. */
  retryMs: number
}

export interface LiveStreamOptions {
  operation: LiveOperation
  response: ServerResponse
  writer: StreamWriter
  /** Asks for what changed, as the viewer of this moment. @throws StreamRefused */
  ask(event: LoggedEvent, cursor: string): Promise<Asked>
  /** @throws StreamRefused when the viewer may not go on */
  assertAllowed(): Promise<void>
  /** Tells whether the viewer, as they were found last, may ask for rows of a type. Default: for all. */
  mayFollow?(type: string): boolean
  /** The state of the viewer's rights, as they were found last. */
  rights?(): number
  /** Counts what was sent or is tried again. */
  count?(what: 'CHANGED' | 'RESET' | 'ERROR' | 'RETRY'): void
  cursorOf(position: number): string
  /** Makes an error safe to leave, and counts it. */
  formatError(error: unknown): object
  timing: StreamTiming
  /** Rows whose changes wait to be sent; with more of them the reader is too slow. */
  mostWaiting: number
}

/** A time between four fifths of one and all of it, so that those who began together do not end together. */
const upTo = (ms: number): number => Math.round(ms * (0.8 + 0.2 * Math.random()))

/** Times that a change is asked for while a part of the product does not answer. */
const mostTries = 5

/**
 * One stream. What it is told waits here, the latest change of each row once, until its reader has read what went before; so
 * memory is bounded, whatever happens and however slowly it reads. With too many waiting there is one RESET in their place.
 */
export class LiveStream implements Follower {
  position = 0
  /** By row; in the order of positions. */
  readonly #waiting = new Map<string, LoggedEvent>()
  /** Up to where everything was missed; null when nothing was. */
  #missed: number | null = null
  /** Up to where everything was sent that is to be sent. */
  #told = 0
  /** The viewer's rights when a change was passed over that they may not ask for; null when none was. */
  #passedOver: number | null = null
  #isAsking = false
  #isBegun = false
  #isEnded = false
  #wake: (() => void) | undefined
  readonly #ended: Promise<void>
  #end!: () => void
  /** Says how many messages were sent. */
  sent = 0

  constructor(private readonly options: LiveStreamOptions) {
    this.#ended = new Promise((resolve) => (this.#end = resolve))
    options.response.once('close', () => this.#stop())
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  begin(position: number): void {
    // A place that nobody knows comes before all others.
    this.#told = Math.max(position, 0)
  }

  take(event: LoggedEvent): void {
    const { operation, mostWaiting } = this.options
    const { aggregateType, aggregateId } = event
    if (this.#isEnded || operation.queryFor(aggregateType) === null) return
    if (operation.ids && !operation.ids.has(aggregateId)) return
    // What the viewer may not ask for takes no place here, so nothing shows that it changed.
    if (this.options.mayFollow?.(aggregateType) === false) {
      this.#passedOver ??= this.options.rights?.() ?? 0
      return
    }
    const row = `${aggregateType} ${aggregateId}`
    // The row is shown as it is by then, so its latest change is the one to tell of.
    this.#waiting.delete(row)
    this.#waiting.set(row, event)
    if (this.#waiting.size > mostWaiting) this.missed(event.position)
    this.#wake?.()
  }

  missed(position: number): void {
    this.#waiting.clear()
    this.#missed = position
    this.#wake?.()
  }

  /** Ends the connection; the client goes on over another. */
  reconnect(reason: string): void {
    if (this.#isEnded) return
    if (this.#isBegun) this.options.writer.reconnect(reason)
    this.#stop()
  }

  /** Sends until the stream ends. */
  async run(): Promise<void> {
    const { timing, writer, response } = this.options
    if (response.destroyed) this.#stop()
    if (this.#isEnded) return
    this.#isBegun = true
    writer.begin(this.options.cursorOf(this.#told), Math.round(timing.retryMs * (0.2 + 0.8 * Math.random())))
    const life = setTimeout(() => this.reconnect('come again with a new token'), upTo(timing.lifeMs))
    const beat = setInterval(() => void this.#beat().catch((error) => this.#fail(error)), timing.beatMs)
    this.#send().catch((error) => this.#fail(error))
    await this.#ended
    clearTimeout(life)
    clearInterval(beat)
  }

  #stop(): void {
    this.#isEnded = true
    this.#waiting.clear()
    this.#wake?.()
    this.#end()
  }

  #fail(error: unknown): void {
    if (this.#isEnded) return
    const { writer, formatError } = this.options
    if (error instanceof CredentialsExpired) return this.reconnect('come again with a new token')
    if (error instanceof StreamOutdated) return this.reconnect('the schema changed: come again')
    if (!(error instanceof StreamRefused)) {
      formatError(error)
      return this.reconnect('something failed: come again')
    }
    writer.next({ errors: [formatError(error.refusal)] }, null)
    this.options.count?.('ERROR')
    writer.complete()
    this.#stop()
  }

  async #send(): Promise<void> {
    while (!this.#isEnded) {
      await this.#room()
      const [next] = this.#waiting
      if (this.#isEnded) return
      if (this.#missed !== null) this.#sendReset(this.#missed)
      else if (next) await this.#sendChange(...next)
      else {
        await new Promise<void>((resolve) => (this.#wake = resolve))
        this.#wake = undefined
      }
    }
  }

  #sendReset(position: number): void {
    this.#missed = null
    const cursor = this.options.cursorOf(position)
    this.#write({ data: this.options.operation.reset(cursor) }, cursor, 'RESET')
    this.#told = position
  }

  async #sendChange(row: string, event: LoggedEvent): Promise<void> {
    const cursor = this.options.cursorOf(event.position)
    this.#waiting.delete(row)
    this.#isAsking = true
    try {
      for (let tries = 1; ; tries++) {
        const asked = await this.options.ask(event, cursor)
        this.#lookAtRights()
        if (this.#isEnded || this.#missed !== null) return
        if (asked !== 'nothing' && 'waitMs' in asked) {
          this.options.count?.('RETRY')
          if (tries === mostTries) return this.#giveUp(asked.isFault === true)
          await this.#pause(asked.waitMs)
          continue
        }
        if (asked !== 'nothing') this.#write(asked.result, cursor, 'CHANGED')
        this.#told = event.position
        return
      }
    } finally {
      this.#isAsking = false
    }
  }

  /** Goes on over another connection; or behind a row that fails each time, which would stop every one. */
  #giveUp(isFault: boolean): void {
    if (isFault) this.missed(this.position)
    else this.reconnect('part of the service does not answer: come again')
  }

  /** With other rights than before, what was passed over may be for the viewer. */
  #lookAtRights(): void {
    if (this.#passedOver === null || this.#passedOver === this.options.rights?.()) return
    this.#passedOver = null
    this.missed(this.position)
  }

  #write(result: object, cursor: string, kind: 'CHANGED' | 'RESET'): void {
    this.sent++
    this.options.count?.(kind)
    this.options.writer.next(result, cursor)
  }

  async #pause(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await Promise.race([new Promise((resolve) => (timer = setTimeout(resolve, ms))), this.#ended])
    clearTimeout(timer)
  }

  /** Waits until the reader has read enough of what was sent; one that does not is left. */
  async #room(): Promise<void> {
    const { response, timing } = this.options
    if (!response.writableNeedDrain) return
    const stalled = setTimeout(() => response.destroy(), timing.stalledMs)
    await Promise.race([new Promise((resolve) => response.once('drain', resolve)), this.#ended])
    clearTimeout(stalled)
  }

  async #beat(): Promise<void> {
    const { response, writer, assertAllowed, cursorOf } = this.options
    await assertAllowed()
    this.#lookAtRights()
    if (this.#isEnded || response.writableNeedDrain) return
    const isIdle = !this.#isAsking && this.#waiting.size === 0 && this.#missed === null
    writer.beat(cursorOf(isIdle ? this.position : this.#told))
  }
}
