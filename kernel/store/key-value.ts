import type { EventLog } from '../events/event-log'

/**
 * Describes what the processes of one installation share besides the database. Two adapters keep the same contract
 * (test/store/contract.ts): in this process, and in Redis.
 *
 * When the store does not answer, every function rejects with SUBGRAPH_UNAVAILABLE within seconds, and a write
 * may or may not have happened. Callers choose: a cache goes on without it; what protects (limits on sign-in, revoked
 * sessions) lets the error through and so fails closed.
 */
export interface Store {
  keyValue: KeyValue
  rateLimit: RateLimit
  pubSub: PubSub
  /** Holds what has happened lately, for those who follow it. */
  eventLog: EventLog
  /** Tells whether other processes see the same: Redis. */
  shared: boolean
  /** Resolves when the store answers. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** Short texts by key. A key begins with its tenant, `t:{tenantId}:`, unless it belongs to none. */
export interface KeyValue {
  get(key: string): Promise<string | null>
  /**
   * Stores a text, by default over an earlier one and without an end. The store is bounded: it may forget a text
   * before its time.
   *
   * @returns whether it was stored: false only with `onlyIfAbsent`
   * @throws RangeError when `ttlMs` is not a whole number above 0
   */
  set(key: string, value: string, options?: { ttlMs?: number; onlyIfAbsent?: boolean }): Promise<boolean>
  delete(keys: readonly string[]): Promise<void>
}

export interface RateLimit {
  /**
   * Counts one attempt and says whether it may go on. The window is fixed: it begins with a key's first attempt and
   * lasts `windowMs`, whatever follows. Around the end of a window up to twice the limit can pass in a short time.
   *
   * @throws RangeError when `limit` or `windowMs` is not a whole number above 0
   */
  consume(key: string, limit: number, windowMs: number): Promise<RateLimitAnswer>
  /**
   * Adds what a process counted by itself to the window of a key, which begins with the first of them. One key is
   * given to one of both functions only.
   *
   * @throws RangeError when `amount` or `windowMs` is not a whole number above 0
   */
  add(key: string, amount: number, windowMs: number): Promise<WindowCount>
}

export interface WindowCount {
  /** Of all processes, in this window. */
  count: number
  endsInMs: number
}

export interface RateLimitAnswer {
  allowed: boolean
  /** Attempts left in this window. */
  remaining: number
  /** Says how long to wait; 0 when allowed. */
  retryAfterMs: number
}

/** Messages to whoever listens now: at most once, none kept, in the order one publisher sent them. */
export interface PubSub {
  publish(topic: string, message: string): Promise<void>
  /**
   * Calls the handler with every message from now on. What a handler throws is logged and reaches nobody else.
   *
   * @returns a function that ends the subscription
   */
  subscribe(topic: string, handler: (message: string) => void): Promise<() => Promise<void>>
}

/** @throws RangeError unless the number is whole and above 0: Redis refuses others, and 0 would mean "for ever". */
export function positive(name: string, number: number): number {
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new RangeError(`${name} must be a whole number above 0, not ${number}`)
}

/** The answer of a window in which this attempt was number `count` and which ends in `endsInMs`. */
export function rateLimitAnswer(count: number, limit: number, endsInMs: number): RateLimitAnswer {
  const allowed = count <= limit
  return { allowed, remaining: Math.max(0, limit - count), retryAfterMs: allowed ? 0 : Math.max(1, endsInMs) }
}
