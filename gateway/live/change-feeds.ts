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
  /** Up to where it was told; set by the feed. */
  position: number
  /** Called once, before anything is told: where it begins. */
  begin(position: number): void
  take(event: LoggedEvent): void
  /** Changes up to this position were missed. */
  missed(position: number): void
}

/** Events that are read at a time. */
const atOnce = 500
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
   * @returns ends it
   */
  async follow(tenantId: string, after: number | null, follower: Follower): Promise<() => void> {
    let feed = this.#feeds.get(tenantId)
    if (!feed) this.#feeds.set(tenantId, (feed = new Feed(tenantId, this.source, this.log)))
    feed.users++
    const leave = () => {
      feed.followers.delete(follower)
      feed.users--
      if (feed.users > 0) return
      this.#feeds.delete(tenantId)
      feed.close()
    }
    try {
      await feed.started
      follower.position = after ?? (await this.source.read(tenantId, null, atOnce)).position
      follower.begin(follower.position)
      // Behind what others were told already; nothing comes in between once it has caught up.
      if (after !== null || follower.position < feed.position)
        await catchUp(this.source, tenantId, feed, follower)
      feed.followers.add(follower)
      return leave
    } catch (error) {
      leave()
      throw error
    }
  }
}

async function catchUp(
  source: ChangeSource,
  tenantId: string,
  feed: Feed,
  follower: Follower,
): Promise<void> {
  do {
    const page = await source.read(tenantId, follower.position, atOnce)
    tell(follower, page)
    if (page.events.length === 0 && !page.isReset && follower.position < feed.position)
      return missed(follower, feed.position)
  } while (follower.position < feed.position)
}

function missed(follower: Follower, position: number): void {
  follower.position = position
  follower.missed(position)
}

function tell(follower: Follower, { events, position, isReset }: FollowedEvents): void {
  if (isReset) return missed(follower, position)
  for (const event of events) if (event.position > follower.position) follower.take(event)
  if (position > follower.position) follower.position = position
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

  constructor(
    private readonly tenantId: string,
    private readonly source: ChangeSource,
    private readonly log: Logger,
  ) {
    this.started = this.#start()
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
        const page = await this.source.read(this.tenantId, this.position, atOnce)
        this.position = page.position
        for (const follower of this.followers) tell(follower, page)
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
