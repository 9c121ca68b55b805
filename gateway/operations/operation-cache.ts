import type { IncomingHttpHeaders } from 'node:http'
import type { GraphQLSchema } from 'graphql'
import { LRUCache } from 'lru-cache'
import type { CostModel } from './cost-model'
import type { GatewayRequest } from '../execution/query-plan'
import { acceptOf } from '../http/media-types'
import type { CheckedDocument } from './document-check'
import { limitsOf, type Limits } from './limits'

/** Bytes of the operations that are kept, parsed: some thousand of the usual size. */
const maxKnownBytes = 64_000_000
/** Bytes of registered texts. */
const maxPersistedBytes = 4_000_000
/** Says how many `Accept` headers are kept; clients have a handful. */
const maxAccepted = 100

/** Describes what Apollo Server found out about an operation, the same for every request that sends it. */
export type KnownOperation = Pick<
  GatewayRequest,
  'schema' | 'schemaHash' | 'document' | 'source' | 'queryHash' | 'operation' | 'operationName'
> &
  Pick<GatewayRequest, 'logger' | 'cache'> & {
    /** Throws when the variables take the operation beyond a limit. */
    withinLimits: ReturnType<typeof limitsOf>
    /** Tells whether an anonymous caller may send it too. */
    openToAnonymous: boolean
  }

/** A request for a known operation. */
export interface CachedRequest {
  known: KnownOperation
  operationName: string | undefined
  variables: Record<string, unknown> | undefined
  extensions: Record<string, unknown> | undefined
  cost: number
  /** Of the answer. */
  contentType: string
}

export interface OperationCache {
  /** Forgets everything: operations are of this schema from now on. */
  schemaLoaded(schema: GraphQLSchema, model: CostModel): void
  /** Bytes of all that is kept, about. */
  readonly bytes: number
  /** Says how many texts are kept, those registered by their hash included. */
  readonly size: number
  /** Keeps the operation of a request that passed all checks and is about to be executed. */
  keep(request: GatewayRequest, checked: CheckedDocument): void
  /** The text that was registered with this SHA-256. */
  registered(sha256: string): string | undefined
  /** Keeps the content type with which Apollo Server answered to an `Accept` header. */
  keepContentType(accept: string, contentType: string): void
  /**
   * The known operation that a POST asks for; undefined when anything about the request is unusual, or would be
   * refused: then Apollo Server is to be asked.
   */
  find(headers: IncomingHttpHeaders, body: unknown): CachedRequest | undefined
}

/** Content types that no HTML form can send, as Apollo Server's protection against cross-site requests demands. */
const jsonType = /^application\/json(?:; ?charset=utf-8)?$/i

/**
 * Operations that passed Apollo Server once: parsed, validated, within the limits. What comes again needs none of its
 * work; everything it would refuse is left to it, so refusals have one place.
 */
export function operationCache(limits: Limits, bytes = maxKnownBytes): OperationCache {
  let current: { schema: GraphQLSchema; model: CostModel } | undefined
  // By text, then by the operation's name as the client gave it.
  const texts = new LRUCache<string, Map<string | undefined, KnownOperation>>({ maxSize: bytes })
  // Texts by their SHA-256, of those that a client registered with it.
  const persisted = new LRUCache<string, string>({ maxSize: maxPersistedBytes })
  const accepted = new LRUCache<string, string>({ max: maxAccepted })

  function textOf(query: unknown, persistedQuery: unknown): string | undefined {
    if (!persistedQuery) return typeof query === 'string' ? query : undefined
    if (query !== undefined || !isRecord(persistedQuery)) return undefined
    const { version, sha256Hash } = persistedQuery
    return version === 1 && typeof sha256Hash === 'string' ? persisted.get(sha256Hash) : undefined
  }

  return {
    schemaLoaded(schema, model) {
      current = { schema, model }
      texts.clear()
    },
    get bytes() {
      return texts.calculatedSize + persisted.calculatedSize
    },
    get size() {
      return texts.size + persisted.size
    },
    registered: (sha256) => persisted.get(sha256),
    keep(request, { bytes: size, openToAnonymous }) {
      const { schema, document, source, operation } = request
      // Otherwise the supergraph changed after this request was checked.
      if (!current || schema !== current.schema) return
      if (request.request.extensions?.['persistedQuery'])
        persisted.set(request.queryHash, source, { size: 200 + 2 * source.length })
      const before = texts.get(source)
      const name = request.request.operationName
      if (before?.has(name)) return
      const named = new Map(before).set(name, {
        schema,
        schemaHash: request.schemaHash,
        document,
        source,
        queryHash: request.queryHash,
        operation,
        operationName: request.operationName,
        logger: request.logger,
        cache: request.cache,
        withinLimits: limitsOf(schema, current.model, document, operation, limits),
        openToAnonymous,
      })
      // The measures of one operation for a hundred sizes are the largest part beside the document.
      texts.set(source, named, { size: size + 2000 * named.size })
    },
    keepContentType(accept, contentType) {
      accepted.set(accept, contentType)
    },
    find(headers, body) {
      if (!isRecord(body)) return undefined
      const { query, operationName = null, variables = null, extensions = null } = body
      if (!(operationName === null || typeof operationName === 'string')) return undefined
      if (!(variables === null || isRecord(variables)) || !(extensions === null || isRecord(extensions)))
        return undefined
      const text = textOf(query, extensions?.['persistedQuery'])
      const known = text === undefined ? undefined : texts.get(text)?.get(operationName ?? undefined)
      const contentType = accepted.get(acceptOf(headers))
      if (!known || contentType === undefined || !jsonType.test(headers['content-type'] ?? ''))
        return undefined
      let cost: number
      try {
        cost = known.withinLimits(variables ?? {})
      } catch {
        return undefined
      }
      return {
        known,
        operationName: operationName ?? undefined,
        variables: variables ?? undefined,
        extensions: extensions ?? undefined,
        cost,
        contentType,
      }
    },
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
