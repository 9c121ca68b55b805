import { overloaded } from '../errors'

/** Says how many statements and transactions of one tenant may wait for a connection. */
const waitingPerTenant = 1000

interface Waiter {
  resolve(): void
  reject(error: Error): void
  timer: NodeJS.Timeout
}

/**
 * Divides the connections of a pool between tenants: who holds some gets another only while more than that are free.
 * However much tenants ask and however long their statements wait for locks, one of them alone holds half of the pool, a
 * second one half of the rest, and so on: of six, the first three tenants get three, two and one. What is done for no tenant (a sign-in before its tenant is found, the
 * product's own jobs) has the name '' and never more than half of them. Who waits is served in turns, a tenant after
 * the other.
 *
 * Every {@link take} that answered true and every {@link wait} that resolved is given back by one {@link giveBack}.
 */
export class FairShare {
  readonly #shareOfNobody: number
  readonly #waitMs: number
  readonly #held = new Map<string, number>()
  /** In the order of turns: who was served goes to the end. */
  readonly #waiting = new Map<string, Waiter[]>()
  #free: number

  /**
   * @param connections of the pool
   * @param waitMs how long one may wait
   */
  constructor(connections: number, waitMs: number) {
    this.#free = connections
    this.#shareOfNobody = Math.max(1, Math.floor(connections / 2))
    this.#waitMs = waitMs
  }

  /** Takes a connection's place for a tenant, or says that one has to wait. */
  take(tenant: string): boolean {
    // Whoever waits has a place already, and lets those go first who have none.
    const held = this.#held.get(tenant) ?? 0
    if (held >= this.#free || (tenant === '' && held >= this.#shareOfNobody)) return false
    this.#held.set(tenant, held + 1)
    this.#free -= 1
    return true
  }

  /**
   * Waits for a place.
   * @throws ApiError OVERLOADED when none became free in time, or too many of this tenant wait already
   */
  async wait(tenant: string): Promise<void> {
    const queue = this.#waiting.get(tenant) ?? []
    if (queue.length >= waitingPerTenant) throw overloaded()
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        resolve,
        reject,
        timer: setTimeout(() => this.#leave(tenant, waiter), this.#waitMs),
      }
      queue.push(waiter)
      this.#waiting.set(tenant, queue)
    })
  }

  giveBack(tenant: string): void {
    const held = this.#held.get(tenant)! - 1
    if (held === 0) this.#held.delete(tenant)
    else this.#held.set(tenant, held)
    this.#free += 1
    if (this.#waiting.size > 0) this.#serveNext()
  }

  #serveNext(): void {
    for (const [tenant, queue] of this.#waiting) {
      if (!this.take(tenant)) continue
      const waiter = queue.shift()!
      this.#waiting.delete(tenant)
      if (queue.length > 0) this.#waiting.set(tenant, queue)
      clearTimeout(waiter.timer)
      return waiter.resolve()
    }
  }

  #leave(tenant: string, waiter: Waiter): void {
    const queue = this.#waiting.get(tenant)!
    queue.splice(queue.indexOf(waiter), 1)
    if (queue.length === 0) this.#waiting.delete(tenant)
    waiter.reject(overloaded())
  }
}
