/** Says how many row queries of streams may be under way at once in this process. */
export interface RowGateLimits {
  perTenant: number
  perProcess: number
}

/** A third of what a process has of connections; one tenant cannot take all of it. */
export const defaultRowGate: RowGateLimits = { perTenant: 8, perProcess: 32 }

/** Those of one tenant that wait, in their order. */
interface Line {
  running: number
  waiting: (() => void)[]
}

/**
 * A gate before the queries of streams: one change is asked for once for each that follows it, and the database belongs to the
 * requests of all tenants. Tenants take turns, so the changes of one do not delay those of another for long.
 */
export class RowGate {
  readonly #lines = new Map<string, Line>()
  #running = 0

  constructor(private readonly limits: RowGateLimits = defaultRowGate) {}

  /** Runs work when it is its turn. */
  async run<T>(tenantId: string, work: () => Promise<T>): Promise<T> {
    let line = this.#lines.get(tenantId)
    if (!line) this.#lines.set(tenantId, (line = { running: 0, waiting: [] }))
    if (this.#isFree(line)) this.#begin(line)
    else await new Promise<void>((resolve) => line.waiting.push(resolve))
    try {
      return await work()
    } finally {
      line.running--
      this.#running--
      if (line.running === 0 && line.waiting.length === 0) this.#lines.delete(tenantId)
      this.#next()
    }
  }

  #isFree({ running }: Line): boolean {
    return running < this.limits.perTenant && this.#running < this.limits.perProcess
  }

  #begin(line: Line): void {
    line.running++
    this.#running++
  }

  /** Lets in the first of the first tenant that may, and puts that tenant behind the others. */
  #next(): void {
    for (const [tenantId, line] of this.#lines) {
      if (line.waiting.length === 0 || !this.#isFree(line)) continue
      this.#lines.delete(tenantId)
      this.#lines.set(tenantId, line)
      this.#begin(line)
      line.waiting.shift()!()
      return
    }
  }
}
