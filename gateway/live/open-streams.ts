import { randomInt } from 'node:crypto'
import type { Viewer } from '../../kernel/context'
import { refusedForNow } from '../errors'

/** Says how many streams may be open at once in this process. */
export interface StreamLimits {
  /** Of one session or API key. */
  perSession: number
  /** Of one user, over all sessions and keys: nobody takes what colleagues need. */
  perUser: number
  perTenant: number
  perProcess: number
}

export const defaultStreamLimits: StreamLimits = {
  perSession: 10,
  perUser: 30,
  perTenant: 500,
  perProcess: 5000,
}
/** Seconds, from and to, after which one may try again: not all at the same moment. */
const retryAfter = [5, 16] as const
const process = 'all'

/** Counts streams that are open. */
export class OpenStreams {
  readonly #counts = new Map<string, number>()

  constructor(private readonly limits: StreamLimits) {}

  /**
   * Counts one more.
   * @returns counts it no longer, once
   * @throws GraphQLError RATE_LIMITED with status 429 when there are too many
   */
  enter({ tenantId, userId, sessionId, apiKeyId }: Viewer): () => void {
    const { perSession, perUser, perTenant, perProcess } = this.limits
    const places = [
      [`${tenantId} session ${sessionId ?? apiKeyId}`, perSession],
      [`${tenantId} user ${userId}`, perUser],
      [tenantId, perTenant],
      [process, perProcess],
    ] as const
    if (places.some(([key, most]) => (this.#counts.get(key) ?? 0) >= most))
      throw refusedForNow('RATE_LIMITED', randomInt(...retryAfter))
    for (const [key] of places) this.#add(key, 1)
    let isIn = true
    return () => {
      if (isIn) for (const [key] of places) this.#add(key, -1)
      isIn = false
    }
  }

  #add(key: string, change: number): void {
    const count = (this.#counts.get(key) ?? 0) + change
    if (count > 0) this.#counts.set(key, count)
    else this.#counts.delete(key)
  }
}
