import { LRUCache } from 'lru-cache'
import type { Clock } from '../../kernel/clock'
import type { Database } from '../../kernel/connection/database'
import type { Logger } from '../../kernel/process/log'

interface Uses {
  tenantId: string
  /** Not noted yet. */
  pending: number
  /** Milliseconds since 1970. */
  notedAt: number
}

const notedEveryMs = 60_000
const mostKeys = 10_000

/**
 * Counts the uses of keys in this process and notes them in the database, each key's once a minute at most and without anybody
 * waiting. What was counted since the last note is noted with the next use; a process that stops loses it.
 *
 * @returns counts one use
 */
export function keyUses({
  database,
  clock,
  log,
}: {
  database: Database
  clock: Clock
  log: Logger
}): (tenantId: string, keyId: string) => void {
  const uses = new LRUCache<string, Uses>({
    max: mostKeys,
    dispose: (one, keyId, reason) => {
      if (reason === 'evict' && one.pending > 0) note(keyId, one)
    },
  })
  const note = (keyId: string, one: Uses): void => {
    const { tenantId, pending } = one
    one.pending = 0
    one.notedAt = clock.now().getTime()
    database
      .rows(
        { tenantId },
        {
          name: 'gateway_note_api_key_use',
          text: 'SELECT shared.note_api_key_use($1, $2, $3)',
          values: [keyId, new Date(one.notedAt).toISOString(), pending],
        },
      )
      .catch((error: unknown) => {
        one.pending += pending
        log.warn({ error: String(error) }, 'the use of an API key was not noted')
      })
  }
  return (tenantId, keyId) => {
    let one = uses.get(keyId)
    if (!one) uses.set(keyId, (one = { tenantId, pending: 0, notedAt: -Infinity }))
    one.pending += 1
    if (clock.now().getTime() - one.notedAt >= notedEveryMs) note(keyId, one)
  }
}
