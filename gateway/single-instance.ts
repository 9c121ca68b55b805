import { Client } from 'pg'
import type { Logger } from '../kernel/process/log'

/** Two arbitrary numbers that name this lock; advisory locks are per database. */
const lock = [0x74656e61, 0x6e740001] as const
const retryMs = 250

export interface SingleInstanceOptions {
  /** The gateway role's URL, to the server itself: a pooler in transaction mode gives the session to somebody else. */
  url: string
  log: Logger
  /** Another gateway took over while the connection was gone: this one must stop. */
  onLost: (error: Error) => void
  /**
   * Says how long a gateway that is just going may take: PostgreSQL notices late that a killed one is gone. Default
   * 3000.
   */
  patienceMs?: number
}

/**
 * Claims to be the only gateway on this database, for as long as the process runs. Without Redis, sessions, rate
 * limits and events live in this process; a second gateway would neither see a sign-out nor count a failed sign-in.
 *
 * @returns gives the claim back
 * @throws Error when another gateway holds the claim
 */
export async function holdSingleInstance(options: SingleInstanceOptions): Promise<() => Promise<void>> {
  const { url, log, onLost, patienceMs = 3000 } = options
  let released = false
  let client = await claim()

  /** @throws Error when the claim is held elsewhere; connection errors pass */
  async function claim(): Promise<Client> {
    const candidate = new Client({
      connectionString: url,
      keepAlive: true,
      application_name: 'gateway single instance',
    })
    // Without a listener an idle connection that breaks would end the process.
    candidate.on('error', (error) => log.warn({ error: error.message }, 'single instance: connection lost'))
    await candidate.connect()
    try {
      const until = Date.now() + patienceMs
      for (;;) {
        const { rows } = await candidate.query<{ held: boolean }>(
          'SELECT pg_try_advisory_lock($1, $2) AS held',
          [...lock],
        )
        if (rows[0]?.held) break
        if (Date.now() > until) throw new HeldElsewhere()
        await pause()
      }
    } catch (error) {
      await candidate.end().catch(() => undefined)
      throw error
    }
    candidate.once('end', () => void reclaim())
    return candidate
  }

  async function reclaim(): Promise<void> {
    while (!released) {
      try {
        const next = await claim()
        if (released) await next.end()
        else client = next
        return
      } catch (error) {
        if (error instanceof HeldElsewhere) return onLost(error)
        await pause()
      }
    }
  }

  return async () => {
    released = true
    await client.end().catch(() => undefined)
  }
}

class HeldElsewhere extends Error {
  constructor() {
    super(
      'Another gateway already serves this database. Set REDIS_URL for both, so that sign-outs, rate limits and ' +
        'events reach every gateway, or stop the other one first.',
    )
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, retryMs))
}
