import { execute, GraphQLError, validate } from 'graphql'
import type { DocumentNode, ExecutionResult, GraphQLSchema } from 'graphql'
import { subgraphContext, type Services } from './context'
import { tenantScope, type Database } from './database'
import { maskError, unavailable } from './errors'
import type { SubgraphName } from './names'
import type { RunningSubgraph, SubgraphOperation } from './subgraph'

/** The executing half of a running subgraph. */
export function executor(
  name: SubgraphName,
  schema: GraphQLSchema,
  database: Database,
  services: Services,
): Pick<RunningSubgraph, 'execute' | 'close'> {
  const validated = new WeakMap<DocumentNode, readonly GraphQLError[]>()
  const running = new Set<Promise<ExecutionResult>>()
  let closed = false

  function validationErrors(document: DocumentNode): readonly GraphQLError[] {
    let errors = validated.get(document)
    if (!errors)
      validated.set(document, (errors = validate(schema, document).map(coded('GRAPHQL_VALIDATION_FAILED'))))
    return errors
  }

  async function answer({
    document,
    operationName,
    variables,
    context,
  }: SubgraphOperation): Promise<ExecutionResult> {
    const faults = validationErrors(document)
    if (faults.length > 0) return { errors: faults }
    const run = () =>
      execute({
        schema,
        document,
        operationName,
        variableValues: variables as Record<string, unknown> | undefined,
        contextValue: subgraphContext(context, name, database, services),
      })
    const result = await (context.viewer ? tenantScope.run(context.viewer.tenantId, run) : run())
    // Without data nothing was executed: the variables or the operation name did not fit the document.
    return 'data' in result ? result : { errors: result.errors?.map(coded('BAD_USER_INPUT')) }
  }

  return {
    async execute(operation) {
      const { requestId, log } = operation.context
      if (closed) return { errors: [maskError(unavailable(), requestId, log)] }
      const answering = answer(operation)
      running.add(answering)
      try {
        const result = await answering
        return result.errors
          ? { ...result, errors: result.errors.map((error) => maskError(error, requestId, log)) }
          : result
      } finally {
        running.delete(answering)
      }
    },
    async close() {
      closed = true
      await Promise.allSettled(running)
    },
  }
}

/** Gives errors of graphql-js, which carry no code, the one that their stage means. */
function coded(code: string): (error: GraphQLError) => GraphQLError {
  return (error) =>
    new GraphQLError(error.message, { nodes: error.nodes, path: error.path, extensions: { code } })
}
