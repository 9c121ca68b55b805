import type { ApolloGateway } from '@apollo/gateway'
import { getVariableValues, GraphQLError, type OperationDefinitionNode } from 'graphql'
import type { GatewayContext, SubgraphDataSource } from '../context'
import { answerErrors, fillUnanswered, unexplainedNulls } from './answer-errors'
import type { CompletionFault } from './complete-result'
import type { Run } from './fetch'
import type { Prepared } from './prepare'
import type { PreparedOperations } from './prepared-operations'
import type { Executor, GatewayRequest, GatewayResult } from './query-plan'
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
 * @param nulled is told of the values that had to become null though no error of a subgraph is about them, for the log
 */
export function planExecution(
  gateway: ApolloGateway,
  operations: PreparedOperations,
  source: (name: string) => SubgraphDataSource | undefined,
  nulled: (context: GatewayContext, nulls: readonly CompletionFault[]) => void = () => undefined,
): Pick<ApolloGateway, 'onSchemaLoadOrUpdate' | 'load' | 'stop'> & { execute: Executor } {
  const conditions = new WeakMap<OperationDefinitionNode, string[]>()
  gateway.onSchemaLoadOrUpdate(({ apiSchema, coreSupergraphSdl }) =>
    operations.use({ sdl: coreSupergraphSdl, schema: apiSchema }),
  )

  /** The values of the variables in `@skip` and `@include`, or what is wrong with one of them. */
  function conditionValues(
    request: GatewayRequest,
    variables: Variables,
  ): Map<string, boolean> | GraphQLError {
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
      if (typeof value !== 'boolean') return refused(`Variable "$${name}" of a condition must not be null.`)
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
    // Beyond the most, graphql-js adds an error about itself, which is about no variable.
    if (faults) return { errors: faults.filter(({ nodes }) => nodes).map(withoutContent) }
    const values = conditionValues(request, coerced)
    if (values instanceof GraphQLError) return { errors: [values] }
    let operation: Prepared
    try {
      operation = await operations.get(request, values)
    } catch (error) {
      if (isRefusal(error)) return { errors: [error] }
      throw error
    }
    ;(request.context as Partial<GatewayContext> | undefined)?.prepared?.()
    if (operation === 'stock') return gateway.executor(request)
    if (operation instanceof GraphQLError) return { errors: [operation] }
    const unsendable = operation.unsendable(variables)
    if (unsendable) return { errors: [unsendable] }
    const run: Run = {
      requestContext: request as Run['requestContext'],
      variables,
      data: {},
      errors: [],
      ofCalls: new Map(),
      lost: new Map(),
      unanswered: [],
      source,
      asked: new Map(),
      joint: new Map(),
    }
    await operation.fetch(run)
    fillUnanswered(run.unanswered)
    const { data, faults: nulls } = operation.shape(run.data)
    if (run.errors.length + nulls.length === 0) return { data }
    const unexplained = unexplainedNulls(run, nulls)
    const invalid = unexplained.filter(({ cause }) => !cause)
    if (invalid.length > 0) nulled(run.requestContext.context, invalid)
    return { data, errors: answerErrors(run, unexplained) as GraphQLError[] }
  }

  return {
    execute,
    onSchemaLoadOrUpdate: (listener) => gateway.onSchemaLoadOrUpdate(listener),
    load: async (options) => ({ ...(await gateway.load(options)), executor: execute }),
    stop: () => gateway.stop(),
  }
}

function refused(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })
}

/** Tells whether a client can do something about why an operation is not planned. */
function isRefusal(error: unknown): error is GraphQLError {
  return error instanceof GraphQLError && refusals.has(error.extensions['code'])
}

const refusals: ReadonlySet<unknown> = new Set([
  'BAD_USER_INPUT',
  'GRAPHQL_VALIDATION_FAILED',
  'QUERY_TOO_COSTLY',
])

/**
 * An object or list that is wrong in one place may hold a password in another: the answer, and what clients log of it, names
 * the place alone.
 */
function withoutContent(fault: GraphQLError): GraphQLError {
  const message = fault.message
    .replace(/ got invalid value (?:\{.*\}|\[.*\])(?= at |; )/s, ' got an invalid value')
    .replace(/ value: (?:\{.*\}|\[.*\])$/s, ' value')
  return message === fault.message ? fault : new GraphQLError(message, { nodes: fault.nodes ?? null })
}
