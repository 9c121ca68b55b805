import { refusedForNow } from '../errors'

/** Says how many exports may be open, and how many pages are read at the same time. */
export interface ExportBounds {
  /** Open exports of one user, and of one tenant. An open export holds a page in memory and its connection. */
  open: { user: number; tenant: number }
  /** Pages being read of one tenant, and of all. Others wait for their turn: a page is read in a moment. */
  reading: { tenant: number; all: number }
  /** Milliseconds until an export is broken off, however slowly it is taken. */
  longestMs: number
}

export const defaultExportBounds: ExportBounds = {
  open: { user: 2, tenant: 20 },
  reading: { tenant: 3, all: 16 },
  longestMs: 15 * 60_000,
}

/** Counts of things by name; what is not counted takes no memory. */
class Counts {
  readonly #counts = new Map<string, number>()

  of(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  add(name: string, amount: 1 | -1): void {
    const count = this.of(name) + amount
    if (count > 0) this.#counts.set(name, count)
    else this.#counts.delete(name)
  }
}

/**
 * The exports under way. Who takes an export slowly has one of few of his own, and nothing that others wait for: a turn lasts as
 * long as a page is read, not as long as it is sent.
 */
export class OpenExports {
  readonly #users = new Counts()
  readonly #tenants = new Counts()
  readonly #reading = new Counts()
  #read = 0
  /** Those who wait for their turn, the longest first. */
  readonly #waiting: { tenantId: string; go: () => void }[] = []

  constructor(private readonly bounds: ExportBounds) {}

  /**
   * Counts an export. Returns what ends it, to be called as often as one likes.
   * @throws GraphQLError OVERLOADED when the user or the tenant has as many open as there may be
   */
  enter({ tenantId, userId }: { tenantId: string; userId: string }): () => void {
    const user = `${tenantId} ${userId}`
    const { open } = this.bounds
    if (this.#users.of(user) >= open.user || this.#tenants.of(tenantId) >= open.tenant)
      throw refusedForNow('OVERLOADED', 5)
    this.#users.add(user, 1)
    this.#tenants.add(tenantId, 1)
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      this.#users.add(user, -1)
      this.#tenants.add(tenantId, -1)
    }
  }

  /** Reads a page when it is the tenant's turn. */
  async inTurn<T>(tenantId: string, read: () => Promise<T>): Promise<T> {
    if (!this.#hasRoom(tenantId))
      await new Promise<void>((resolve) => this.#waiting.push({ tenantId, go: resolve }))
    else this.#begin(tenantId)
    try {
      return await read()
    } finally {
      this.#reading.add(tenantId, -1)
      this.#read--
      this.#next()
    }
  }

  #hasRoom(tenantId: string): boolean {
    const { all, tenant } = this.bounds.reading
    return this.#read < all && this.#reading.of(tenantId) < tenant
  }

  #begin(tenantId: string): void {
    this.#reading.add(tenantId, 1)
    this.#read++
  }

  #next(): void {
    const at = this.#waiting.findIndex(({ tenantId }) => this.#hasRoom(tenantId))
    if (at < 0) return
    const [first] = this.#waiting.splice(at, 1)
    this.#begin(first!.tenantId)
    first!.go()
  }
}
