import type { ServerResponse } from 'node:http'
import type { LoggedEvent } from '../../kernel/events/event-log'
import type { Follower } from './change-feeds'
import type { LiveOperation } from './live-operation'
import type { StreamWriter } from './stream-writers'

/**
 * The outcome of asking for a changed row: the message, in the form of an answer of GraphQL; that there is nothing that the viewer
 * may see; or that it cannot be asked, and how long to wait before it is asked again.
 */
export type Asked = { result: object } | 'nothing' | { waitMs: number }

/** The viewer may not go on: the stream is over. */
export class StreamRefused extends Error {
  constructor(readonly refusal: unknown) {
    super('The stream is refused')
  }
}

/** The credentials are over: the client comes again with others. */
export class CredentialsExpired extends Error {}

/** Milliseconds. */
export interface StreamTiming {
  /** After which a stream ends, and its client comes again with the token of then. */
  lifeMs: number
  /** Between two looks whether the viewer may go on. */
  beatMs: number
  /** That a reader may take to read what was sent. */
  stalledMs: number
}

export interface LiveStreamOptions {
  operation: LiveOperation
  response: ServerResponse
  writer: StreamWriter
  /** Asks for what changed, as the viewer of this moment. @throws StreamRefused */
  ask(event: LoggedEvent, cursor: string): Promise<Asked>
  /** @throws StreamRefused when the viewer may not go on */
  assertAllowed(): Promise<void>
  cursorOf(position: number): string
  /** Makes an error safe to leave, and counts it. */
  formatError(error: unknown): object
  timing: StreamTiming
  /** Rows whose changes wait to be sent; with more of them the reader is too slow. */
  mostWaiting: number
}

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
  #isAsking = false
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

  begin(position: number): void {
    // A place that nobody knows comes before all others.
    this.#told = Math.max(position, 0)
  }

  take(event: LoggedEvent): void {
    const { operation, mostWaiting } = this.options
    const { aggregateType, aggregateId } = event
    if (this.#isEnded || operation.queryFor(aggregateType) === null) return
    if (operation.ids && !operation.ids.has(aggregateId)) return
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
    this.options.writer.reconnect(reason)
    this.#stop()
  }

  /** Sends until the stream ends. */
  async run(): Promise<void> {
    const { timing, writer } = this.options
    writer.beat(this.options.cursorOf(this.#told))
    const life = setTimeout(() => this.reconnect('come again with a new token'), timing.lifeMs)
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
    if (!(error instanceof StreamRefused)) {
      formatError(error)
      return this.reconnect('something failed: come again')
    }
    writer.next({ errors: [formatError(error.refusal)] }, null)
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
    this.#write({ data: this.options.operation.reset(cursor) }, cursor)
    this.#told = position
  }

  async #sendChange(row: string, event: LoggedEvent): Promise<void> {
    const cursor = this.options.cursorOf(event.position)
    this.#waiting.delete(row)
    this.#isAsking = true
    try {
      for (let tries = 1; ; tries++) {
        const asked = await this.options.ask(event, cursor)
        if (this.#isEnded || this.#missed !== null) return
        if (asked !== 'nothing' && 'waitMs' in asked) {
          if (tries === mostTries) return this.reconnect('part of the service does not answer: come again')
          await this.#pause(asked.waitMs)
          continue
        }
        if (asked !== 'nothing') this.#write(asked.result, cursor)
        this.#told = event.position
        return
      }
    } finally {
      this.#isAsking = false
    }
  }

  #write(result: object, cursor: string): void {
    this.sent++
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
    if (this.#isEnded || response.writableNeedDrain) return
    const isIdle = !this.#isAsking && this.#waiting.size === 0 && this.#missed === null
    writer.beat(cursorOf(isIdle ? this.position : this.#told))
  }
}
