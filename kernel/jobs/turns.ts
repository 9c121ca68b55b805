import { FairShare } from '../connection/fair-share'

export interface TurnsOptions {
  /** Works for a tenant in its turn; answers false when it has nothing to do. */
  work: (tenant: string, abort: AbortController) => Promise<boolean>
  onError: (error: unknown) => void
}

/** Slots for the work of tenants, which are given to who has some in turns. Who was served goes to the end. */
export class Turns {
  readonly #share: FairShare
  readonly #options: TurnsOptions
  readonly #waiting = new Set<string>()
  readonly #running = new Map<Promise<void>, AbortController>()
  #whenIdle: (() => void)[] = []
  #isClosed = false

  constructor(slots: number, options: TurnsOptions) {
    this.#share = new FairShare(slots, 0)
    this.#options = options
  }

  /** Notes that a tenant may have work. */
  add(tenant: string): void {
    this.#waiting.add(tenant)
  }

  /** Gives free slots away. */
  fill(): void {
    if (this.#isClosed) return
    for (const tenant of [...this.#waiting]) {
      if (!this.#share.take(tenant)) continue
      this.#waiting.delete(tenant)
      this.#waiting.add(tenant)
      const abort = new AbortController()
      const turn = this.#serve(tenant, abort).finally(() => {
        this.#running.delete(turn)
        this.#share.giveBack(tenant)
        this.fill()
        if (this.#running.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve()
      })
      this.#running.set(turn, abort)
    }
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
  }

  /** Gives no slot away any more, and tells what is under way to stop. Resolves when it has ended. */
  async close(reason: unknown): Promise<void> {
    this.#isClosed = true
    for (const abort of this.#running.values()) if (!abort.signal.aborted) abort.abort(reason)
    await Promise.all(this.#running.keys())
  }

  async #serve(tenant: string, abort: AbortController): Promise<void> {
    try {
      if (!(await this.#options.work(tenant, abort))) this.#waiting.delete(tenant)
    } catch (error) {
      this.#waiting.delete(tenant)
      this.#options.onError(error)
    }
  }
}
