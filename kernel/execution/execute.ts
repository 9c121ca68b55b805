import { GraphQLError, validate } from 'graphql'
import type { DocumentNode, ExecutionResult, GraphQLSchema } from 'graphql'
import type { RequestContext, Services, SubgraphContext } from '../context'
import { tenantScope, type Database } from '../connection/database'
import { auditDenials } from '../access/denials'
import { unavailable } from '../errors'
import { noteEntry } from '../sensitive/entry-reads'
import { writeReads } from '../sensitive/read-trail'
import { compiledExecution } from './compile'
import { maskError } from './mask-error'
import { subgraphContext } from './subgraph-view'
import type { RunningSubgraph, SubgraphOperation } from '../schema/subgraph-definition'

/** The executing half of a running subgraph. */
export function executor(
  schema: GraphQLSchema,
  database: Database,
  services: Services,
): Pick<RunningSubgraph, 'execute' | 'close'> {
  const execute = compiledExecution(schema)
  const validated = new WeakMap<DocumentNode, readonly GraphQLError[]>()
  // All fetches of one request share one view, hence their loaders and the rules decided about the viewer.
  const views = new WeakMap<RequestContext, SubgraphContext>()
  const running = new Set<Promise<ExecutionResult>>()
  let closed = false

  function validationErrors(document: DocumentNode): readonly GraphQLError[] {
    let errors = validated.get(document)
    if (!errors)
      validated.set(document, (errors = validate(schema, document).map(coded('GRAPHQL_VALIDATION_FAILED'))))
    return errors
  }

  function viewOf(request: RequestContext): SubgraphContext {
    let view = views.get(request)
    if (!view) views.set(request, (view = subgraphContext(request, database, services)))
    return view
  }

  async function answer({
    document,
    operationName,
    variables,
    context,
  }: SubgraphOperation): Promise<ExecutionResult> {
    const faults = validationErrors(document)
    if (faults.length > 0) return { errors: faults }
    const contextValue = viewOf(context)
    const run = async () => {
      const variableValues = variables as Record<string, unknown> | undefined
      const executed = await execute({ document, operationName, variableValues, contextValue })
      if (executed.errors && !contextValue.isFollowUp)
        await auditDenials(contextValue, schema, document, executed.errors)
      if (contextValue.operator) noteEntry(contextValue, document)
      const refused = contextValue.reads.size === 0 ? null : await writeReads(contextValue)
      return refused ? { data: null, errors: [refused] } : executed
    }
    const { viewer, operator } = context
    const result = await (viewer || operator ? tenantScope.run(viewer?.tenantId ?? null, run) : run())
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
