import { createHmac, timingSafeEqual } from 'node:crypto'
import type { KeyValue } from '../../kernel/store/key-value'
import type { Logger } from '../../kernel/process/log'

/** Plans that several gateways share. Neither function throws: a store that fails is as good as an empty one. */
export interface PlanStore {
  get(key: string): Promise<string | null>
  set(key: string, json: string): void
}

const week = 7 * 86_400_000
/** A plan is made in less; waiting longer for a store would only be slower. */
const answerWithinMs = 100
/** Says how long a store that failed is left alone. */
const pauseMs = 10_000
/** Larger plans are made anew: they are few, and a store is for short texts. */
const maxCharacters = 256_000

/**
 * Plans in the key-value store. Each is signed for its key, so that what anything but a gateway of this installation
 * wrote there, or moved to another key, counts as absent.
 *
 * @param secret known to the gateways alone
 */
export function planStore(
  keyValue: KeyValue,
  secret: string,
  log: Logger,
  timing = { answerWithinMs, pauseMs },
): PlanStore {
  let pausedUntil = 0
  const place = (key: string) => `gateway:plan:${key}`
  const signature = (key: string, json: string) =>
    createHmac('sha256', secret).update(`query plan ${key} ${json}`).digest('base64url')

  function failed(error: unknown): null {
    if (performance.now() >= pausedUntil) {
      pausedUntil = performance.now() + timing.pauseMs
      const fault = error instanceof Error ? error.message : String(error)
      log.warn(
        { fault, pauseMs: timing.pauseMs },
        'the store of query plans does not answer, going on without',
      )
    }
    return null
  }

  function read(key: string, entry: string | null): string | null {
    if (entry === null) return null
    const at = entry.indexOf(' ')
    const json = entry.slice(at + 1)
    const [given, expected] = [
      Buffer.from(entry.slice(0, Math.max(at, 0))),
      Buffer.from(signature(key, json)),
    ]
    if (given.length === expected.length && timingSafeEqual(given, expected)) return json
    log.warn({ key: place(key) }, 'a stored query plan is not of a gateway of this installation: ignored')
    return null
  }

  return {
    async get(key) {
      if (performance.now() < pausedUntil) return null
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new Error('no answer in time')), timing.answerWithinMs)
      })
      try {
        return read(key, await Promise.race([keyValue.get(place(key)), late]))
      } catch (error) {
        return failed(error)
      } finally {
        clearTimeout(timer)
      }
    },
    set(key, json) {
      if (json.length > maxCharacters || performance.now() < pausedUntil) return
      keyValue.set(place(key), `${signature(key, json)} ${json}`, { ttlMs: week }).catch(failed)
    },
  }
}
