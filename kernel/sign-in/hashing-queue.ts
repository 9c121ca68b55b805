/**
 * Says for whom work is done. `known`: somebody who is signed in, whose device was in before or who has a token, by what they are
 * known as. `stranger`: anybody else, by network.
 */
export type HashingLane = { known: string } | { stranger: string }

/** Work that fills a core each, so much of it at once and the rest in turns. */
export interface HashingQueue {
  /** Tells whether so much waits for those like this one that one should come again later. */
  isFullFor(lane: HashingLane): boolean
  run<T>(lane: HashingLane, work: () => Promise<T>): Promise<T>
}

/** Says how much work of those who are known may pass one of strangers. */
const mostPassed = 4

/** Waiting work by lane, in the order of their turns: who was served goes to the end. */
class Waiting {
  length = 0
  readonly #lanes = new Map<string, (() => void)[]>()

  /** The work that is done before what comes to this lane last: of each lane as much as of this one. */
  before(lane: string): number {
    const own = (this.#lanes.get(lane)?.length ?? 0) + 1
    let before = 0
    for (const { length } of this.#lanes.values()) before += Math.min(length, own)
    return before
  }

  add(lane: string, begin: () => void): void {
    this.#lanes.set(lane, [...(this.#lanes.get(lane) ?? []), begin])
    this.length++
  }

  next(): (() => void) | undefined {
    for (const [lane, items] of this.#lanes) {
      const [item, ...rest] = items
      this.#lanes.delete(lane)
      if (rest.length > 0) this.#lanes.set(lane, rest)
      this.length--
      return item
    }
    return undefined
  }
}

/**
 * Work in turns: lanes of those who are known one after the other, and of strangers when no such waits, or after every fourth. So
 * strangers at however many addresses keep nobody from work who is known, and one network no other from signing in.
 * @param atOnce how much of it may be under way
 * @param mostWaiting how much may wait of strangers together, and before the next of a lane of those who are known: a lane with
 * much of its own is full, and no other by it
 */
export function hashingQueue(atOnce: number, mostWaiting: number): HashingQueue {
  const known = new Waiting()
  const strangers = new Waiting()
  const waitingOf = (lane: HashingLane) => ('known' in lane ? known : strangers)
  let running = 0
  let passed = 0
  function next(): (() => void) | undefined {
    const isStrangersTurn = known.length === 0 || (strangers.length > 0 && passed >= mostPassed)
    passed = isStrangersTurn ? 0 : passed + 1
    return (isStrangersTurn ? strangers : known).next()
  }
  return {
    isFullFor: (lane) => ('known' in lane ? known.before(lane.known) : strangers.length) >= mostWaiting,
    async run(lane, work) {
      const name = 'known' in lane ? lane.known : lane.stranger
      if (running < atOnce) running++
      // Whoever ends hands over its place.
      else await new Promise<void>((resolve) => waitingOf(lane).add(name, resolve))
      try {
        return await work()
      } finally {
        const begin = next()
        if (begin) begin()
        else running--
      }
    },
  }
}
