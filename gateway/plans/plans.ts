import { createHash } from 'node:crypto'
import planner from '@apollo/gateway/package.json'
import { print, type DocumentNode } from 'graphql'
import { LRUCache } from 'lru-cache'
import type { QueryPlan } from '../execution/query-plan'
import type { PlanStore } from './plan-store'

/** Where the plans of one supergraph are made. */
export interface PlanMaker {
  /** Resolves when the first plan takes no longer than any other. */
  ready: Promise<void>
  /**
   * The plan of an operation as JSON.
   * @param urgent a client waits for it; the others come when nobody does
   * @throws what the planner throws
   */
  plan(text: string, operationName: string | undefined, urgent: boolean): Promise<string>
  /** Those who wait get an error. */
  close(): Promise<void>
}

export interface Plans {
  /** Gets ready to plan for a supergraph, beside the one in use. Rejects when it cannot be planned for. */
  load(supergraph: string): Promise<void>
  /** Lets go of every supergraph but this one, which must be loaded. */
  use(supergraph: string): void
  /**
   * The plan of an operation.
   * @param supergraph its text; loaded before
   * @throws what the planner throws; Error when the supergraph is no longer in use
   */
  plan(supergraph: string, operation: PlannedOperation, urgent: boolean): Promise<QueryPlan>
  close(): Promise<void>
}

export interface PlannedOperation {
  document: DocumentNode
  operationName: string | undefined
}

/** Characters of the plans that are kept, as JSON: several thousand. */
const maxCharacters = 16_000_000

/**
 * Query plans: kept in this process within bounds, shared with other gateways by a store if there is one, otherwise
 * made, each once however many ask for it. A plan is known by the supergraph, the planner's version and the operation
 * itself, so no change of any of them meets an old one.
 */
export function createPlans(options: {
  make: (supergraph: string) => PlanMaker
  store?: PlanStore
  /** Characters of plans to keep, for tests. */
  maxCharacters?: number
}): Plans & { readonly kept: number } {
  const makers = new Map<string, { maker: PlanMaker; hash: string }>()
  const kept = new LRUCache<string, string>({
    maxSize: options.maxCharacters ?? maxCharacters,
    sizeCalculation: (json, key) => json.length + key.length,
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

  async function made(
    maker: PlanMaker,
    key: string,
    text: string,
    name: string | undefined,
    urgent: boolean,
  ) {
    const stored = await options.store?.get(key)
    if (stored) return stored
    const json = await maker.plan(text, name, urgent)
    options.store?.set(key, json)
    return json
  }

  return {
    load,
    use(supergraph) {
      current = supergraph
      load(supergraph).catch(() => undefined)
      for (const other of makers.keys()) if (other !== supergraph) close(other)
    },
    async plan(supergraph, { document, operationName }, urgent) {
      const loaded = makers.get(supergraph)
      if (!loaded) throw new Error('The supergraph is no longer in use')
      const text = print(document)
      const key = hashOf(planner.version, loaded.hash, operationName ?? '', text)
      let json = kept.get(key)
      if (json === undefined) {
        let making = pending.get(key)
        if (!making) {
          making = made(loaded.maker, key, text, operationName, urgent)
          pending.set(key, making)
          making.finally(() => pending.delete(key)).catch(() => undefined)
        }
        json = await making
        kept.set(key, json)
      }
      return JSON.parse(json) as QueryPlan
    },
    async close() {
      await Promise.all([...makers.values()].map(({ maker }) => maker.close()))
    },
    get kept() {
      return kept.size
    },
  }
}

function hashOf(...parts: string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part.length}:${part}`)
  return hash.digest('base64url')
}
