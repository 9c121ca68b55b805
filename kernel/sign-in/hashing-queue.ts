/** Work that fills a core each, so much of it at once and the rest in the order of its coming. */
export interface HashingQueue {
  /** Tells whether so much waits that one should come again later. */
  readonly isFull: boolean
  run<T>(work: () => Promise<T>): Promise<T>
}

/**
 * @param atOnce how much of it may be under way
 * @param mostWaiting how much may wait before the queue calls itself full
 */
export function hashingQueue(atOnce: number, mostWaiting: number): HashingQueue {
  const waiting: (() => void)[] = []
  let running = 0
  return {
    get isFull() {
      return waiting.length >= mostWaiting
    },
    async run(work) {
      if (running < atOnce) running++
      // Whoever ends hands over its place.
      else await new Promise<void>((resolve) => waiting.push(resolve))
      try {
        return await work()
      } finally {
        const next = waiting.shift()
        if (next) next()
        else running--
      }
    },
  }
}
