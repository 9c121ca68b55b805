import type { ApolloGateway } from '@apollo/gateway'
import { getVariableValues, GraphQLError, type OperationDefinitionNode } from 'graphql'
import type { SubgraphDataSource } from '../context'
import type { Data } from './data'
import type { Run } from './fetch'
import type { PreparedOperations } from './prepared-operations'
import type { GatewayRequest, GatewayResult } from './query-plan'
import { conditionsOf } from './selections'

/** Each says the value it is about. */
const mostVariableErrors = 5

type Variables = Readonly<Record<string, unknown>>

/**
 * ApolloGateway with another execution: its supergraph handling and its planner stay, and whatever this cannot run is
 * executed by it as ever (see {@link prepare}).
 *
 * @param operations follow the gateway's supergraph from now on
 * @param source the subgraph of this name
 */
export function planExecution(
  gateway: ApolloGateway,
  operations: PreparedOperations,
  source: (name: string) => SubgraphDataSource | undefined,
): Pick<ApolloGateway, 'onSchemaLoadOrUpdate' | 'load' | 'stop'> {
  const conditions = new WeakMap<OperationDefinitionNode, string[]>()
  gateway.onSchemaLoadOrUpdate(({ apiSchema, coreSupergraphSdl }) =>
    operations.use({ sdl: coreSupergraphSdl, schema: apiSchema }),
  )

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

  async function execute(request: GatewayRequest): Promise<GatewayResult> {
    const variables: Variables = request.request.variables ?? {}
    const definitions = request.operation.variableDefinitions ?? []
    const { errors: faults, coerced } = getVariableValues(operations.serves.schema, definitions, variables, {
      maxErrors: mostVariableErrors,
    })
    if (faults) return { errors: faults }
    const values = conditionValues(request, coerced)
    const operation = values ? await operations.get(request, values) : 'stock'
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
