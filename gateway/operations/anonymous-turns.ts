import { refusedForNow } from '../errors'
import { planQueue } from '../plans/plan-queue'

/** Describes what anonymous callers cost the thread, one after the other. */
export interface AnonymousTurns {
  /**
   * Resolves when it is the turn of a caller at this address; what it does next, in the same tick, is its turn.
   * @throws GraphQLError OVERLOADED with status 503 when too many wait
   */
  take(address: string | null): Promise<void>
  /** Says how long the turn took. */
  took(ms: number): void
  /** Says that what is executed in this turn has to be planned first. */
  planned(): void
}

/** Between the beginnings of two turns: at most 100 a second, and the tenants' requests come between them. */
const leastMs = 10
/** A turn that takes long is followed by a pause so many times as long. */
const pause = 4
/**
 * After an operation that is planned, prepared and executed for this once: 25 a second, a tenth of a core each of
 * planning and of the thread. More than the sign-ins that bcrypt leaves room for on two cores.
 */
const plannedMs = 40
const mostWaiting = { perTenant: 50, total: 300 }

/**
 * Turns for the check of a new document, with the execution that follows, and for the execution of a known one: whatever
 * anonymous callers send, most of the machine is left to everybody else. Addresses take turns, so that one does not keep
 * others from signing in.
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
    planned() {
      nextAt = Math.max(nextAt, now() + plannedMs)
    },
  }
}
