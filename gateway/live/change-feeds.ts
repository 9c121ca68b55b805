import type { FollowedEvents } from '../../kernel/events/read-events'
import type { LoggedEvent } from '../../kernel/events/event-log'
import type { Logger } from '../../kernel/process/log'

/** The place where changes of tenants are read. */
export interface ChangeSource {
  /** Up to `most` events after a position; null: the position from now on. */
  read(tenantId: string, after: number | null, most: number): Promise<FollowedEvents>
  /** Calls `wake` when there may be something new; calls may be lost. */
  subscribe(tenantId: string, wake: () => void): Promise<() => Promise<void>>
}

/** One who follows the changes of a tenant. */
export interface Follower {
  /** Up to where it was told; set by the feed, after `take`. */
  position: number
  /** Called once, before anything is told: where it begins. */
  begin(position: number): void
  take(event: LoggedEvent): void
  /** Changes up to this position were missed. */
  missed(position: number): void
}

/** Events that are read at a time. */
const atOnce = 500
/** Events that a follower may be behind; whoever has missed more reads again at once. */
const mostBehind = 2000
/** Milliseconds between two looks at a log whose calls were lost. */
const pollMs = 1000

/**
 * One reader for each tenant that somebody follows, however many follow it. Nothing is kept here: each follower has its own
 * position and takes what it is told.
 */
export class ChangeFeeds {
  readonly #feeds = new Map<string, Feed>()

  constructor(
    private readonly source: ChangeSource,
    private readonly log: Logger,
  ) {}

  /**
   * Follows a tenant from a position on; null: from now on.
   * @param charge called before each page of what was missed is read; what it throws ends it
   * @returns ends it
   */
  async follow(
    tenantId: string,
    after: number | null,
    follower: Follower,
    charge: () => void = () => undefined,
  ): Promise<() => void> {
    let feed = this.#feeds.get(tenantId)
    if (!feed) this.#feeds.set(tenantId, (feed = new Feed(tenantId, this.source, this.log)))
    feed.users++
    const leave = () => {
      feed.followers.delete(follower)
      feed.users--
      if (feed.users > 0) return
      if (this.#feeds.get(tenantId) === feed) this.#feeds.delete(tenantId)
      feed.close()
    }
    try {
      await feed.started
      const now = (await this.source.read(tenantId, null, atOnce)).position
      follower.position = after ?? now
      follower.begin(follower.position)
      if (after !== null && (after < now - mostBehind || after < 0)) missed(follower, now)
      // The log may be ahead of what is noted, and knows better which places there are.
      else if (after !== null && after > now) tell(follower, after, await feed.page(after))
      await catchUp(feed, follower, now, charge)
      return leave
    } catch (error) {
      leave()
      throw error
    }
  }
}

/** Tells a follower what it missed up to now, and adds it to the feed in the same turn in which nothing is missing. */
async function catchUp(feed: Feed, follower: Follower, now: number, charge: () => void): Promise<void> {
  let empty = 0
  while (follower.position < now || follower.position < feed.position) {
    charge()
    const before = follower.position
    tell(follower, before, await feed.page(before))
    // A read that others began may be older than what is missing. A second one that finds nothing: it cannot be told.
    empty = follower.position === before ? empty + 1 : 0
    if (empty > 1) missed(follower, Math.max(now, feed.position))
  }
  feed.followers.add(follower)
}

function missed(follower: Follower, position: number): void {
  follower.position = position
  follower.missed(position)
}

/**
 * Tells a follower what a page has of what it was not told yet. Positions follow each other without a gap, so one that does not
 * shows that something is missing, for whatever reason.
 * @param from the position behind which the page begins
 */
function tell(follower: Follower, from: number, { events, position, isReset }: FollowedEvents): void {
  if (position <= follower.position && !isReset) return
  if (isReset || follower.position < from) return missed(follower, position)
  for (const event of events) {
    if (event.position <= follower.position) continue
    if (event.position !== follower.position + 1) return missed(follower, position)
    follower.take(event)
    follower.position = event.position
  }
  if (position > follower.position) missed(follower, position)
}

/** The reader of one tenant. */
class Feed {
  readonly followers = new Set<Follower>()
  /** Says how many follow it or are about to. */
  users = 0
  position = 0
  readonly started: Promise<void>
  #unsubscribe: (() => Promise<void>) | undefined
  #timer: NodeJS.Timeout | undefined
  #isReading = false
  #isCalled = false
  #isClosed = false
  #isFailing = false
  /** Pages that followers who catch up wait for, by the position that they begin behind. */
  readonly #pages = new Map<number, Promise<FollowedEvents>>()

  constructor(
    private readonly tenantId: string,
    private readonly source: ChangeSource,
    private readonly log: Logger,
  ) {
    this.started = this.#start()
  }

  /** A page for a follower that catches up; those at the same place share one read. */
  page(after: number): Promise<FollowedEvents> {
    let page = this.#pages.get(after)
    if (!page) {
      page = this.source.read(this.tenantId, after, atOnce).finally(() => this.#pages.delete(after))
      this.#pages.set(after, page)
    }
    return page
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#timer)
    void this.#unsubscribe?.().catch(() => undefined)
  }

  async #start(): Promise<void> {
    this.position = (await this.source.read(this.tenantId, null, atOnce)).position
    const unsubscribe = await this.source.subscribe(this.tenantId, () => void this.#look())
    if (this.#isClosed) return unsubscribe()
    this.#unsubscribe = unsubscribe
    this.#timer = setInterval(() => void this.#look(), pollMs).unref()
    void this.#look()
  }

  /** Reads what is new and tells it, once at a time. */
  async #look(): Promise<void> {
    this.#isCalled = true
    if (this.#isReading) return
    this.#isReading = true
    try {
      while (this.#isCalled && !this.#isClosed) {
        this.#isCalled = false
        const from = this.position
        const page = await this.source.read(this.tenantId, from, atOnce)
        this.position = page.position
        for (const follower of this.followers) tell(follower, from, page)
        if (page.events.length === atOnce) this.#isCalled = true
      }
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing) this.log.warn({ err: error }, 'changes cannot be read: it is tried again')
      this.#isFailing = true
    } finally {
      this.#isReading = false
    }
  }
}
