import { overloaded } from '../errors'
import type { Binding } from './binding'

/** Names who waits for a connection: a tenant, nobody (''), or the share with the tenant that is named. */
export function askerOf({ tenantId, share }: Binding): string {
  return share ? `${share} ${tenantId ?? ''}` : (tenantId ?? '')
}

/** Tells whether an asker is no tenant that somebody is signed in to. */
const isNobody = (asker: string): boolean => asker === '' || asker.startsWith('anonymous ')

/** Says how many statements and transactions of one asker may wait for a connection. */
const waitingPerAsker = 1000

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
 * What is done for no tenant (the product's own jobs) and for callers who are not signed in (a sign-in, a refresh, a
 * reset, whatever tenant it names) has a quarter of the pool at most, at least one: however many of them wait for locks,
 * tenants keep the rest. The writer of a tenant's recorded reads, one at a time, has a first place of its own: it waits for
 * no lock, and the tenant's reads would wait for its commits. Who waits is served in turns, one {@link askerOf asker} after the other.
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
  #heldByNobody = 0
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

  /** Takes a connection's place for an asker, or says that one has to wait. */
  take(asker: string): boolean {
    const held = this.#held.get(asker) ?? 0
    if (this.#free === 0 || (held > 0 && !this.#hasFurther())) return false
    if (isNobody(asker)) {
      if (this.#heldByNobody >= this.#shareOfNobody) return false
      this.#heldByNobody += 1
    }
    this.#held.set(asker, held + 1)
    this.#free -= 1
    return true
  }

  /**
   * Waits for a place.
   * @throws ApiError OVERLOADED when none became free in time, or too many of this asker wait already
   */
  async wait(asker: string): Promise<void> {
    const queue = this.#waiting.get(asker) ?? []
    if (queue.length >= waitingPerAsker) throw overloaded()
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        resolve,
        reject,
        timer: setTimeout(() => this.#leave(asker, waiter), this.#waitMs),
      }
      queue.push(waiter)
      this.#waiting.set(asker, queue)
    })
  }

  giveBack(asker: string): void {
    const held = this.#held.get(asker)! - 1
    if (held === 0) this.#held.delete(asker)
    else this.#held.set(asker, held)
    if (isNobody(asker)) this.#heldByNobody -= 1
    this.#free += 1
    if (this.#waiting.size > 0) this.#serveNext()
  }

  #hasFurther(): boolean {
    return this.#connections - this.#free - this.#held.size < this.#further
  }

  #serveNext(): void {
    for (const [asker, queue] of this.#waiting) {
      if (!this.take(asker)) continue
      const waiter = queue.shift()!
      this.#waiting.delete(asker)
      if (queue.length > 0) this.#waiting.set(asker, queue)
      clearTimeout(waiter.timer)
      return waiter.resolve()
    }
  }

  #leave(asker: string, waiter: Waiter): void {
    const queue = this.#waiting.get(asker)!
    queue.splice(queue.indexOf(waiter), 1)
    if (queue.length === 0) this.#waiting.delete(asker)
    waiter.reject(overloaded())
  }
}
