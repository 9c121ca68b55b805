import type { Clock } from '../../kernel/clock'
import type { Operator, RequestContext, Viewer } from '../../kernel/context'
import type { Logger } from '../../kernel/process/log'

/**
 * Tells whether a client has left. The signal costs more than many answers, so it is made when somebody asks for it.
 */
export class Departure {
  #controller: AbortController | undefined
  #gone = false

  abort(): void {
    this.#gone = true
    this.#controller?.abort()
  }

  signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#gone) this.#controller.abort()
    return this.#controller.signal
  }
}

/** The context of an HTTP request. A class, because V8 makes each object with a getter of its own anew. */
export class HttpRequestContext implements RequestContext {
  constructor(
    readonly requestId: string,
    readonly viewer: Viewer | null,
    readonly operator: Operator | null,
    readonly clientIp: string | null,
    readonly userAgent: string | null,
    readonly clock: Clock,
    readonly log: Logger,
    private readonly departure: Departure,
    readonly isFollowUp = false,
  ) {}

  get signal(): AbortSignal {
    return this.departure.signal()
  }
}
