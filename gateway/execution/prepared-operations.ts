import {
  buildASTSchema,
  getOperationAST,
  GraphQLError,
  parse,
  validate,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import type { ExpectedOperation } from '../plans/expected-operations'
import type { GatewayContext } from '../context'
import { anonymousAsker, everybody, type Asker, type Plans } from '../plans/plans'
import { prepare, type Graph, type Prepared } from './prepare'
import type { GatewayRequest } from './query-plan'
import { conditionsOf } from './selections'
import { ownFieldsOf } from './alias-conflicts'

/** Bytes of the prepared operations that are kept: some thousand of the usual size. */
const maxPreparedBytes = 64_000_000
/** Says how many of the operations in use are prepared again for another supergraph. */
const mostUsed = 200

/** Describes what of a request decides how it is prepared. */
type Asked = Pick<GatewayRequest, 'queryHash' | 'document' | 'operation' | 'source' | 'operationName'>
type Conditions = ReadonlyMap<string, boolean>

interface Kept {
  operation: Prepared | Promise<Prepared>
  source: string
  operationName: string | undefined
  values: Conditions
  uses: number
}

interface Current extends Graph {
  sdl: string
  kept: LRUCache<string, Kept>
}

export interface PreparedOperations {
  /** The supergraph now, and what clients see of it. */
  readonly serves: { sdl: string; schema: GraphQLSchema }
  /** Says how many operations are ready. */
  readonly size: number
  /** Bytes of those that are ready, about. */
  readonly bytes: number
  /** Serves another supergraph from now on, and prepares for it what was in use most. */
  use(supergraph: { sdl: string; schema: GraphQLSchema }): void
  /**
   * Says how to run a client's operation. One that only anonymous callers sent is prepared and not kept.
   * @param values of the variables in `@skip` and `@include`
   * @throws what the planner throws
   */
  get(request: GatewayRequest, values: Conditions): Promise<Prepared>
  /** Prepares operations one after the other, while nobody waits for them. Resolves when it is done. */
  warm(operations: readonly ExpectedOperation[]): Promise<void>
}

/**
 * Operations as they are run, kept within bounds for one supergraph. Each is prepared once, however many ask for it at
 * the same time.
 */
export function preparedOperations(plans: Plans, maxBytes = maxPreparedBytes): PreparedOperations {
  let current: Current | undefined

  function kept(graph: Current, asked: Asked, values: Conditions, asker: Asker): Kept {
    const key = `${asked.queryHash} ${[...values.values()].join()} ${asked.operationName ?? ''}`
    const known = graph.kept.get(key)
    if (known) return known
    const { source } = asked
    const operationName = asked.operationName ?? undefined
    const size = preparedBytes(source, asked.document)
    const plan = ({ document }: Pick<GatewayRequest, 'document'>) =>
      plans.plan(graph.sdl, { document, operationName }, asker)
    const operation = prepare(asked as GatewayRequest, values, graph, plan)
    const entry: Kept = { operation, source, operationName, values, uses: 0 }
    if (asker === anonymousAsker) return entry
    graph.kept.set(key, entry, { size })
    operation.then(
      (prepared) => (entry.operation = prepared),
      () => graph.kept.peek(key) === entry && graph.kept.delete(key),
    )
    return entry
  }

  async function get(request: GatewayRequest, values: Conditions): Promise<Prepared> {
    const graph = current!
    const entry = kept(graph, request, values, askerOf(request))
    entry.uses++
    let failure: unknown
    let operation: Prepared | undefined
    try {
      operation = await entry.operation
    } catch (error) {
      failure = error
    }
    // The supergraph changed meanwhile: its subgraphs may be gone, and the operation may be one no longer.
    if (graph !== current) return faultOf(current!.schema, request.document) ?? get(request, values)
    if (operation === undefined) throw failure
    return operation
  }

  async function warm(operations: readonly (ExpectedOperation & { values?: Conditions })[]): Promise<void> {
    const graph = current!
    for (const { source, hash, operationName, values } of operations) {
      if (graph !== current) return
      try {
        const document = parse(source, { noLocation: true })
        const operation = getOperationAST(document, operationName)
        const given = operation && (values ?? defaultsOf(document, operation))
        if (!given || faultOf(graph.schema, document)) continue
        const asked = { queryHash: hash, document, operation, source, operationName: operationName ?? null }
        await kept(graph, asked, given, null).operation
      } catch {
        // Who asks for it is told.
      }
      // Clients first.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  return {
    get serves() {
      return current!
    },
    get size() {
      return current!.kept.size
    },
    get bytes() {
      return current!.kept.calculatedSize
    },
    use({ sdl, schema }) {
      const before = current
      const supergraph = parse(sdl, { noLocation: true })
      current = {
        sdl,
        schema,
        supergraph: buildASTSchema(supergraph, { assumeValid: true, assumeValidSDL: true }),
        own: ownFieldsOf(supergraph),
        kept: new LRUCache({ maxSize: maxBytes }),
      }
      plans.use(sdl)
      if (before) void warm(inUse(before.kept))
    },
    get,
    warm,
  }
}

/**
 * Holds what is compiled for one token, estimated high: all caches together were measured at 430 to 1,570 bytes for a
 * token of the client's text (`bench/cache-sizes.mjs`), and are counted as 1,880.
 */
const bytesPerToken = 700

function preparedBytes(source: string, document: DocumentNode): number {
  return 2000 + 2 * source.length + bytesPerToken * (document.tokenCount ?? source.length / 2)
}

function askerOf({ context }: GatewayRequest): Asker {
  const record = (context as Partial<GatewayContext> | undefined)?.record
  return record?.anonymous ? anonymousAsker : (record?.tenantId ?? everybody)
}

/** Returns what was asked for most, without what nobody did. */
function inUse(kept: LRUCache<string, Kept>): (ExpectedOperation & { values: Conditions })[] {
  return [...kept.entries()]
    .filter(([, { uses }]) => uses > 0)
    .sort(([, one], [, other]) => other.uses - one.uses)
    .slice(0, mostUsed)
    .map(([key, { source, operationName, values }]) => ({
      source,
      operationName,
      values,
      hash: key.slice(0, key.indexOf(' ')),
    }))
}

/** The values of an operation's conditions when a client gives none; null when it has to give one. */
function defaultsOf(
  document: DocumentNode,
  { variableDefinitions }: OperationDefinitionNode,
): Conditions | null {
  const values = new Map<string, boolean>()
  for (const name of conditionsOf(document)) {
    const declared = variableDefinitions?.find(({ variable }) => variable.name.value === name)?.defaultValue
    if (declared?.kind !== 'BooleanValue') return null
    values.set(name, declared.value)
  }
  return values
}

/** Why the operation is none of this schema. */
function faultOf(schema: GraphQLSchema, document: DocumentNode): GraphQLError | null {
  const [fault] = validate(schema, document)
  if (!fault) return null
  return new GraphQLError(fault.message, { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } })
}
