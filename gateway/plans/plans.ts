import { createHash } from 'node:crypto'
import planner from '@apollo/gateway/package.json'
import { print, type DocumentNode } from 'graphql'
import { LRUCache } from 'lru-cache'
import type { QueryPlan } from '../execution/query-plan'
import type { PlanStore } from './plan-store'

/**
 * Names who waits for a plan: a tenant by its id, {@link anonymousAsker}, {@link everybody} where nobody can be signed
 * in, or null when nobody does.
 */
export type Asker = string | null

/** All callers that are not signed in: one share for them together, and the last one. */
export const anonymousAsker = 'anonymous'

export const everybody = 'everybody'

/** Describes where the plans of one supergraph are made. */
export interface PlanMaker {
  /** Resolves when the first plan takes no longer than any other. */
  ready: Promise<void>
  /**
   * The plan of an operation as JSON.
   * @throws what the planner throws; OVERLOADED when too much of this asker's waits already
   */
  plan(text: string, operationName: string | undefined, asker: Asker): Promise<string>
  /** Those who wait get an error. */
  close(): Promise<void>
}

export interface Plans {
  /** Gets ready to plan for a supergraph, beside the one in use. Rejects when it cannot be planned for. */
  load(supergraph: string): Promise<void>
  /** Lets go of every supergraph but this one, which must be loaded. */
  use(supergraph: string): void
  /**
   * The plan of an operation. One that only anonymous callers asked for is not kept.
   * @param supergraph its text; loaded before
   * @throws what the planner throws; Error when the supergraph is no longer in use
   */
  plan(supergraph: string, operation: PlannedOperation, asker: Asker): Promise<QueryPlan>
  close(): Promise<void>
}

export interface PlannedOperation {
  document: DocumentNode
  operationName: string | undefined
}

/** Bytes of the plans that are kept, as JSON: several thousand. */
const maxBytes = 32_000_000

/**
 * Query plans: kept in this process within bounds, shared with other gateways by a store if there is one, otherwise
 * made, each once however many ask for it. A plan is known by the supergraph, the planner's version and the operation
 * itself, so no change of any of them meets an old one.
 */
export function createPlans(options: {
  make: (supergraph: string) => PlanMaker
  store?: PlanStore
  /** Bytes of plans to keep, for tests. */
  maxBytes?: number
}): Plans & { readonly kept: number; readonly bytes: number } {
  const makers = new Map<string, { maker: PlanMaker; hash: string }>()
  const kept = new LRUCache<string, string>({
    maxSize: options.maxBytes ?? maxBytes,
    sizeCalculation: (json, key) => 200 + 2 * (json.length + key.length),
  })
  const pending = new Map<string, Promise<string>>()
  let current: string | undefined

  function close(supergraph: string): void {
    void makers.get(supergraph)?.maker.close()
    makers.delete(supergraph)
  }

  function load(supergraph: string): Promise<void> {
    let loaded = makers.get(supergraph)
    if (!loaded) {
      // What was loaded for a change that did not come about is not waited for.
      for (const other of makers.keys()) if (other !== current) close(other)
      loaded = { maker: options.make(supergraph), hash: hashOf(supergraph) }
      makers.set(supergraph, loaded)
    }
    return loaded.maker.ready
  }

  async function made(maker: PlanMaker, key: string, text: string, name: string | undefined, asker: Asker) {
    const stored = await options.store?.get(key)
    if (stored) return stored
    const json = await maker.plan(text, name, asker)
    if (asker !== anonymousAsker) options.store?.set(key, json)
    return json
  }

  return {
    load,
    use(supergraph) {
      current = supergraph
      load(supergraph).catch(() => undefined)
      for (const other of makers.keys()) if (other !== supergraph) close(other)
    },
    async plan(supergraph, { document, operationName }, asker) {
      const loaded = makers.get(supergraph)
      if (!loaded) throw new Error('The supergraph is no longer in use')
      const text = print(document)
      const key = hashOf(planner.version, loaded.hash, operationName ?? '', text)
      let json = kept.get(key)
      if (json === undefined) {
        // Nobody waits for a plan in the place that another has in the queue.
        const share = `${key} ${asker ?? ''}`
        let making = pending.get(share)
        if (!making) {
          making = made(loaded.maker, key, text, operationName, asker)
          pending.set(share, making)
          making.finally(() => pending.delete(share)).catch(() => undefined)
        }
        json = await making
        if (asker !== anonymousAsker) kept.set(key, json)
      }
      return JSON.parse(json) as QueryPlan
    },
    async close() {
      await Promise.all([...makers.values()].map(({ maker }) => maker.close()))
    },
    get kept() {
      return kept.size
    },
    get bytes() {
      return kept.calculatedSize
    },
  }
}

function hashOf(...parts: string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part.length}:${part}`)
  return hash.digest('base64url')
}
