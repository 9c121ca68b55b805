import { refusedForNow } from '../errors'
import { planQueue } from '../plans/plan-queue'

/** New documents of anonymous callers, one after the other. */
export interface AnonymousTurns {
  /**
   * Resolves when it is the turn of a caller at this address; what it does next, in the same tick, is its turn.
   * @throws GraphQLError OVERLOADED with status 503 when too many wait
   */
  take(address: string | null): Promise<void>
  /** Says how long the turn took. */
  took(ms: number): void
}

/** Between the beginnings of two turns: at most 100 a second, and the tenants' requests come between them. */
const leastMs = 10
/** A turn that takes long is followed by a pause so many times as long. */
const pause = 4
const mostWaiting = { perTenant: 20, total: 200 }

/**
 * Checks of documents in turns: whatever anonymous callers send, most of the thread is left to everybody else. Addresses
 * take turns, so that one does not keep others from signing in. A known document needs none.
 *
 * @param now milliseconds, for tests
 */
export function anonymousTurns(now: () => number = () => performance.now()): AnonymousTurns {
  const waiting = planQueue<() => void>(mostWaiting)
  let nextAt = -Infinity
  let timer: NodeJS.Timeout | undefined

  function begin(): void {
    nextAt = now() + leastMs
  }

  function arm(): void {
    timer ??= setTimeout(
      () => {
        timer = undefined
        if (now() >= nextAt) {
          begin()
          waiting.next(true)?.()
        }
        if (waiting.length > 0) arm()
      },
      Math.max(1, nextAt - now()),
    )
  }

  return {
    async take(address) {
      if (waiting.length === 0 && now() >= nextAt) return begin()
      const asker = `address ${address ?? 'unknown'}`
      if (waiting.isFullFor(asker)) throw refusedForNow('OVERLOADED', 1)
      await new Promise<void>((resolve) => {
        waiting.add(asker, resolve)
        arm()
      })
    },
    took(ms) {
      nextAt = Math.max(nextAt, now() + pause * ms)
    },
  }
}
