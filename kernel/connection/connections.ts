import type pg from 'pg'
import { FairShare } from './fair-share'
import type { TenantClient } from './tenant'

type Connection = pg.PoolClient & TenantClient

const tooFew = 'raise DATABASE_CONNECTIONS, and use the transaction at hand inside transactions'

/** The parts of pg-pool 3.14.0 that hand out an idle client. Not public: without them every checkout waits its turn. */
interface PoolInside {
  ending: boolean
  _idle?: {
    client: pg.PoolClient
    idleListener: unknown
    timeoutId: NodeJS.Timeout | undefined
  }[]
  _pendingQueue?: unknown[]
  _acquireClient?(
    client: pg.PoolClient,
    item: { callback: () => void },
    listener: unknown,
    isNew: boolean,
  ): void
}

/**
 * An idle client, in the way that pool.connect() hands one out but at once: without promises, timer and tick. None when
 * others wait for one.
 */
function idleClient(pool: pg.Pool): (pg.PoolClient & TenantClient) | undefined {
  const inside = pool as unknown as PoolInside
  if (inside.ending || !inside._idle?.length || inside._pendingQueue?.length !== 0 || !inside._acquireClient)
    return undefined
  const { client, idleListener, timeoutId } = inside._idle.pop()!
  clearTimeout(timeoutId)
  inside._acquireClient(client, { callback: () => undefined }, idleListener, false)
  return client as pg.PoolClient & TenantClient
}

/** The connections of a pool, of which each asker has its share. */
export class Connections {
  readonly #pool: pg.Pool
  readonly #places: FairShare
  readonly #warn: (message: string) => void
  #warnedAt = 0

  /**
   * @param size how many connections the pool has
   * @param waitMs how long one may wait for a connection
   */
  constructor(pool: pg.Pool, size: number, waitMs: number, warn: (message: string) => void) {
    this.#pool = pool
    this.#places = new FairShare(size, waitMs)
    this.#warn = warn
  }

  /**
   * A connection for an asker: at once, without a promise, when its share is not used up and one is idle.
   * @throws ApiError OVERLOADED when the asker's share was not free in time
   */
  take(asker: string): Connection | Promise<Connection> {
    const hasPlace = this.#places.take(asker)
    return (hasPlace ? idleClient(this.#pool) : undefined) ?? this.#awaited(asker, hasPlace)
  }

  /** To be called once for every connection that was taken, after its release. */
  giveBack(asker: string): void {
    this.#places.giveBack(asker)
  }

  async #awaited(asker: string, hasPlace: boolean): Promise<Connection> {
    if (!hasPlace) {
      await this.#places.wait(asker).catch((error: unknown) => {
        const now = Date.now()
        if (now - this.#warnedAt > 60_000) this.#warn(`No connection became free in time: ${tooFew}`)
        this.#warnedAt = now
        throw error
      })
    }
    try {
      return idleClient(this.#pool) ?? ((await this.#pool.connect()) as Connection)
    } catch (error) {
      this.#places.giveBack(asker)
      throw error
    }
  }
}
