import type { ApolloGateway } from '@apollo/gateway'
import { buildASTSchema, getVariableValues, GraphQLError, parse, type OperationDefinitionNode } from 'graphql'
import { LRUCache } from 'lru-cache'
import type { SubgraphDataSource } from '../context'
import type { Data } from './data'
import type { Run } from './fetch'
import { prepare, type Graph, type Prepared } from './prepare'
import type { GatewayRequest, GatewayResult, Planner } from './query-plan'
import { conditionsOf } from './selections'
import { ownFieldsOf } from './separation'

/** What is kept of prepared operations, in characters of their texts: about a thousand operations. */
const maxPreparedText = 2_000_000

type Variables = Readonly<Record<string, unknown>>

/**
 * ApolloGateway with another execution: its supergraph handling and its planner stay, and whatever this cannot run is
 * executed by it as ever (see {@link prepare}).
 *
 * @param source the subgraph of this name
 */
export function planExecution(
  gateway: ApolloGateway,
  planner: Planner,
  source: (name: string) => SubgraphDataSource | undefined,
): Pick<ApolloGateway, 'onSchemaLoadOrUpdate' | 'load' | 'stop'> {
  let current: (Graph & { prepared: LRUCache<string, Prepared | Promise<Prepared>> }) | undefined
  const conditions = new WeakMap<OperationDefinitionNode, string[]>()
  gateway.onSchemaLoadOrUpdate(({ apiSchema, coreSupergraphSdl }) => {
    const supergraph = parse(coreSupergraphSdl, { noLocation: true })
    current = {
      schema: apiSchema,
      supergraph: buildASTSchema(supergraph, { assumeValid: true, assumeValidSDL: true }),
      own: ownFieldsOf(supergraph),
      prepared: new LRUCache({ maxSize: maxPreparedText }),
    }
  })

  /** The values of the variables in `@skip` and `@include`; null when one has none, which has to be an error. */
  function conditionValues(request: GatewayRequest, variables: Variables): Map<string, boolean> | null {
    const { operation, document } = request
    let names = conditions.get(operation)
    if (!names) {
      const declared = operation.variableDefinitions?.map(({ variable }) => variable.name.value)
      names = conditionsOf(document).filter((name) => declared?.includes(name))
      conditions.set(operation, names)
    }
    const values = new Map<string, boolean>()
    for (const name of names) {
      const value = variables[name]
      if (typeof value !== 'boolean') return null
      values.set(name, value)
    }
    return values
  }

  /** Each operation is prepared once, however many ask for it at the same time. */
  async function prepared(request: GatewayRequest, values: ReadonlyMap<string, boolean>): Promise<Prepared> {
    const graph = current!
    const key = `${request.queryHash} ${[...values.values()].join()} ${request.operationName ?? ''}`
    let operation = graph.prepared.get(key)
    if (!operation) {
      const size = 1000 + request.source.length
      operation = prepare(request, values, graph, (planned) => planner.plan(gateway.executor, planned))
      graph.prepared.set(key, operation, { size })
      try {
        graph.prepared.set(key, await operation, { size })
      } catch (error) {
        graph.prepared.delete(key)
        throw error
      }
    }
    const result = await operation
    // Otherwise the supergraph changed meanwhile, and the plan may be for another one than the rest.
    return graph === current ? result : prepared(request, values)
  }

  async function execute(request: GatewayRequest): Promise<GatewayResult> {
    const variables: Variables = request.request.variables ?? {}
    const definitions = request.operation.variableDefinitions ?? []
    const { errors: faults, coerced } = getVariableValues(current!.schema, definitions, variables)
    if (faults) return { errors: faults }
    const values = conditionValues(request, coerced)
    const operation = values ? await prepared(request, values) : 'stock'
    if (operation === 'stock') return gateway.executor(request)
    if (operation instanceof GraphQLError) return { errors: [operation] }
    const data: Data = {}
    const errors: unknown[] = []
    const requestContext = request as Run['requestContext']
    await operation.fetch({
      requestContext,
      variables,
      data,
      errors,
      source,
      asked: new Map(),
      joint: new Map(),
    })
    try {
      const answer = operation.shape(data)
      // Errors of subgraphs explain the nulls already; alone, faults are said outside of the errors, as in stock.
      if (errors.length > 0) return { errors: errors as GraphQLError[], data: answer.data }
      if (answer.faults.length > 0)
        return { data: answer.data, extensions: { valueCompletion: answer.faults } }
      return { data: answer.data }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return { errors: [new GraphQLError(message, { originalError: error as Error })] }
    }
  }

  return {
    onSchemaLoadOrUpdate: (listener) => gateway.onSchemaLoadOrUpdate(listener),
    load: async (options) => ({ ...(await gateway.load(options)), executor: execute }),
    stop: () => gateway.stop(),
  }
}
