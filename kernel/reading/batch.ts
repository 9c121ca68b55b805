import type { SubgraphContext } from '../context'
import { SyncPromise } from '../execution/sync-promise'

/** Keys per statement; PostgreSQL plans `= ANY` of this size well and one request seldom has more. */
const batchSize = 1_000

/** Describes what is looked up by key, one by one as it is asked for. */
export type Batch<V> = (key: string) => SyncPromise<V>

/**
 * Look-ups of this request that are done together, made once per key: a text that tells of all they depend on, or an
 * object of its own. Like a DataLoader, with the same turn of the event loop in which keys are gathered, but what it
 * answers is a {@link SyncPromise}.
 * @param read answers keys in their order; when it fails, all of them fail, and may be asked for again
 */
export function requestBatch<V>(
  context: SubgraphContext,
  key: string | object,
  read: (keys: readonly string[]) => Promise<readonly V[]>,
): Batch<V> {
  let batch = context.loaders.get(key) as Batch<V> | undefined
  if (!batch) context.loaders.set(key, (batch = batched(read)))
  return batch
}

const afterMicrotasks = Promise.resolve()

function batched<V>(read: (keys: readonly string[]) => Promise<readonly V[]>): Batch<V> {
  const known = new Map<string, SyncPromise<V>>()
  let asked: string[] = []

  async function answer(keys: readonly string[]): Promise<void> {
    try {
      const values = await read(keys)
      for (let i = 0; i < keys.length; i++) known.get(keys[i]!)!.fulfill(values[i] as V)
    } catch (error) {
      for (const key of keys) {
        const later = known.get(key)!
        known.delete(key)
        later.reject(error)
      }
    }
  }

  function answerAll(): void {
    const keys = asked
    asked = []
    for (let from = 0; from < keys.length; from += batchSize) void answer(keys.slice(from, from + batchSize))
  }

  return (key) => {
    let later = known.get(key)
    if (later) return later
    known.set(key, (later = new SyncPromise()))
    // When all that is ready now has asked, as DataLoader waits.
    if (asked.push(key) === 1) void afterMicrotasks.then(() => process.nextTick(answerAll))
    return later
  }
}
