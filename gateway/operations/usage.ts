import { parse, type DocumentNode, type OperationDefinitionNode } from 'graphql'
import { readSchema, visibleTo } from '../../registry/schema-model'
import type { Clock } from '../../kernel/clock'
import type { Logger } from '../../kernel/process/log'
import { Signatures, type Signature } from './usage-signatures'

/** Describes what was seen of one operation, client version and day since the last time it was written down. */
export interface SeenOperation {
  hash: string
  name: string
  /** The operation without literals, aliases and comments. */
  document: string
  coordinates: readonly string[]
  /** `YYYY-MM-DD`, UTC. */
  day: string
  client: string
  clientVersion: string
  requests: number
  /** ISO 8601 instant. */
  lastSeen: string
  /** Tenants that were not written down for this operation, client version and day before. */
  tenants: readonly string[]
}

export interface UsageStore {
  write(seen: readonly SeenOperation[]): Promise<void>
  /** Deletes what is older than this day, `YYYY-MM-DD`. */
  forget(before: string): Promise<void>
}

/** An operation that is about to be executed, and who asks. */
export interface ExecutingOperation {
  document: DocumentNode
  operation: OperationDefinitionNode
  variables: Readonly<Record<string, unknown>> | undefined
  tenantId: string | null
  /** Nobody is signed in, where callers can be. */
  anonymous: boolean
  /** A header of the request. */
  header(name: string): string | undefined
}

export interface UsageRecorder {
  /** Operations are of this supergraph from now on. */
  supergraphLoaded(sdl: string): void
  executing(operation: ExecutingOperation): void
  /** Writes down what was seen since the last time. */
  flush(): Promise<void>
  /** Stops and writes down the rest. */
  close(): Promise<void>
}

export interface UsageOptions {
  store: UsageStore
  clock: Clock
  log: Logger
  /** Milliseconds between two writes. Default 10,000. */
  intervalMs?: number
  /** Says how many days usage is kept, at least 30. Default 400: one year and a month to look back. */
  days?: number
  /**
   * Says how many operations × client versions are kept between two writes; the rest is not recorded. Default 5,000.
   */
  most?: number
  /** The same of anonymous callers, new ones of a day. Default 1,000: clients sign in with a handful. */
  mostAnonymous?: number
}

interface Counter {
  signature: Signature
  day: string
  client: string
  clientVersion: string
  requests: number
  /** Milliseconds since 1970. */
  lastSeen: number
  tenants: Set<string>
}

const dayMs = 86_400_000

/**
 * Records which operations are sent, by whom and how often: signatures and names of the schema, never values. Requests
 * only count in memory; what was counted is written in batches, and dropped when the store fails for long.
 */
export function usageRecorder(options: UsageOptions): UsageRecorder {
  return new CountingRecorder(options)
}

class CountingRecorder implements UsageRecorder {
  readonly #options: UsageOptions & { most: number }
  readonly #timer: NodeJS.Timeout
  #signatures: Signatures | undefined
  #counters = new Map<string, Counter>()
  /** Tenants that stand in the store already: most requests add none. */
  #written = new Map<string, Set<string>>()
  readonly #anonymousToday = new Set<string>()
  #writing: Promise<void> = Promise.resolve()
  #today = ''
  #dayNumber = NaN
  #forgetting = false

  constructor(options: UsageOptions) {
    this.#options = { ...options, most: options.most ?? 5000 }
    this.#timer = setInterval(() => void this.flush(), options.intervalMs ?? 10_000).unref()
  }

  supergraphLoaded(sdl: string): void {
    this.#signatures = new Signatures(visibleTo(readSchema(parse(sdl, { noLocation: true }))))
  }

  executing(executing: ExecutingOperation): void {
    const signatures = this.#signatures
    if (!signatures) return
    const { document, operation, variables, header } = executing
    const signature = signatures.of(document, operation, !executing.anonymous)
    signatures.addVariables(signature, document, operation, variables ?? {})
    const client = clientName(header('apollographql-client-name'))
    const clientVersion = clientName(header('apollographql-client-version'), '')
    this.#count(signature, executing, client, clientVersion)
  }

  flush(): Promise<void> {
    return (this.#writing = this.#writing.then(() => this.#write()))
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.flush()
  }

  #count(
    signature: Signature,
    { tenantId, anonymous }: ExecutingOperation,
    client: string,
    clientVersion: string,
  ): void {
    const now = this.#options.clock.now().getTime()
    if (Math.floor(now / dayMs) !== this.#dayNumber) this.#begin(now)
    const key = `${signature.hash} ${client} ${clientVersion} ${this.#today}`
    let counter = this.#counters.get(key)
    if (!counter) {
      if (!this.#hasRoom(key, anonymous)) return
      counter = {
        signature,
        day: this.#today,
        client,
        clientVersion,
        requests: 0,
        lastSeen: now,
        tenants: new Set(),
      }
      this.#counters.set(key, counter)
    }
    counter.requests++
    counter.lastSeen = now
    if (tenantId && !counter.tenants.has(tenantId) && !this.#written.get(key)?.has(tenantId))
      counter.tenants.add(tenantId)
  }

  /** Begins another day. */
  #begin(now: number): void {
    this.#dayNumber = Math.floor(now / dayMs)
    this.#today = new Date(now).toISOString().slice(0, 10)
    this.#written = new Map()
    this.#anonymousToday.clear()
    this.#forgetting = true
  }

  #hasRoom(key: string, anonymous: boolean): boolean {
    const { most, mostAnonymous = 1000 } = this.#options
    if (this.#counters.size >= most) return false
    if (!anonymous || this.#anonymousToday.has(key)) return true
    // Each would be a row for as long as usage is kept.
    if (this.#anonymousToday.size >= mostAnonymous) return false
    this.#anonymousToday.add(key)
    return true
  }

  async #write(): Promise<void> {
    if (this.#counters.size === 0) return
    const { store, log, days = 400 } = this.#options
    const batch = this.#counters
    this.#counters = new Map()
    const seen = [...batch.values()].map(seenOf)
    try {
      await store.write(seen)
      if (this.#forgetting) await store.forget(daysBefore(this.#today, days))
      this.#forgetting = false
      this.#remember(batch)
    } catch (error) {
      // Recording must never stand in the way of answering: what was not written is lost, and said to be.
      log.warn(
        { operations: seen.length, error: error instanceof Error ? error.message : String(error) },
        'usage not recorded',
      )
    }
  }

  /** Remembers the tenants of what was written today. */
  #remember(batch: ReadonlyMap<string, Counter>): void {
    // Forgotten, a tenant is written down once more.
    if (this.#written.size > 4 * this.#options.most) this.#written.clear()
    for (const [key, { day, tenants }] of batch) {
      if (day !== this.#today || tenants.size === 0) continue
      const of = this.#written.get(key) ?? new Set()
      for (const tenant of tenants) of.add(tenant)
      this.#written.set(key, of)
    }
  }
}

function seenOf({ signature, tenants, lastSeen, ...rest }: Counter): SeenOperation {
  return {
    ...rest,
    lastSeen: new Date(lastSeen).toISOString(),
    hash: signature.hash,
    name: signature.name,
    document: signature.document,
    coordinates: [...signature.coordinates].sort(),
    tenants: [...tenants],
  }
}

function daysBefore(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - days * dayMs).toISOString().slice(0, 10)
}

/** Clients name themselves; what does not look like a name or version is not kept. */
function clientName(header: string | undefined, otherwise = 'unknown'): string {
  return header && /^[\w.@/+-]{1,64}$/.test(header) ? header : otherwise
}
