import type { Viewer } from '../../kernel/context'
import { refusedForNow } from '../errors'

/** Says how many streams may be open at once in this process. */
export interface StreamLimits {
  /** Of one session or API key. */
  perSession: number
  perTenant: number
}

export const defaultStreamLimits: StreamLimits = { perSession: 10, perTenant: 500 }
/** Streams end often, and each at most 15 minutes after it began. */
const retryAfterSeconds = 10

/** Counts streams that are open. */
export class OpenStreams {
  readonly #counts = new Map<string, number>()

  constructor(private readonly limits: StreamLimits) {}

  /**
   * Counts one more.
   * @returns counts it no longer
   * @throws GraphQLError RATE_LIMITED with status 429 when there are too many
   */
  enter({ tenantId, sessionId, apiKeyId }: Viewer): () => void {
    const session = `${tenantId} ${sessionId ?? apiKeyId}`
    const { perSession, perTenant } = this.limits
    if (this.#count(session) >= perSession || this.#count(tenantId) >= perTenant)
      throw refusedForNow('RATE_LIMITED', retryAfterSeconds)
    this.#add(session, 1)
    this.#add(tenantId, 1)
    return () => {
      this.#add(session, -1)
      this.#add(tenantId, -1)
    }
  }

  #count(key: string): number {
    return this.#counts.get(key) ?? 0
  }

  #add(key: string, change: number): void {
    const count = this.#count(key) + change
    if (count > 0) this.#counts.set(key, count)
    else this.#counts.delete(key)
  }
}
