import { overloaded } from '../errors'

/** Says how many statements and transactions of one tenant may wait for a connection. */
const waitingPerTenant = 1000

interface Waiter {
  resolve(): void
  reject(error: Error): void
  timer: NodeJS.Timeout
}

/**
 * Divides the connections of a pool between tenants. A tenant's first place is any free one; the second and further
 * places of all tenants together are less than half of the pool. So however much tenants ask and however long their
 * statements wait for locks, one of them alone holds half of the pool at most (two of three), and it takes as many
 * tenants as more than half of the pool has places before the next one waits: four of six, two of three. Each of any
 * six tenants can hold one of six: against that only a larger pool helps, or who waits is refused in time.
 * What is done for no tenant (a sign-in before its tenant is found, the product's own jobs) has the name '' and a
 * quarter of the pool at most, at least one. Who waits is served in turns, a tenant after the other.
 *
 * Every {@link take} that answered true and every {@link wait} that resolved is given back by one {@link giveBack}.
 */
export class FairShare {
  readonly #connections: number
  /** Says how many places beyond their first ones all tenants may hold together. */
  readonly #further: number
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
    this.#connections = this.#free = connections
    this.#further = Math.floor((connections - 1) / 2)
    this.#shareOfNobody = 1 + Math.floor(this.#further / 2)
    this.#waitMs = waitMs
  }

  /** Takes a connection's place for a tenant, or says that one has to wait. */
  take(tenant: string): boolean {
    const held = this.#held.get(tenant) ?? 0
    if (this.#free === 0 || (held > 0 && !this.#mayHoldMore(tenant, held))) return false
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

  #mayHoldMore(tenant: string, held: number): boolean {
    const further = this.#connections - this.#free - this.#held.size
    return further < this.#further && (tenant !== '' || held < this.#shareOfNobody)
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
