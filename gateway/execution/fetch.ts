import type { GraphQLDataSourceProcessOptions } from '@apollo/gateway'
import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema } from 'graphql'
import type { GatewayContext, SubgraphAnswer, SubgraphDataSource } from '../context'
import { merge, objectsAt, type Data, type Path } from './data'
import type { Asked } from './entities'
import { rewriter } from './representations'
import type { FetchNode } from './query-plan'

type SubgraphCall = Extract<
  GraphQLDataSourceProcessOptions<GatewayContext>,
  { incomingRequestContext: object }
>

/** One request on its way through a plan. */
export interface Run {
  requestContext: SubgraphCall['incomingRequestContext']
  variables: Readonly<Record<string, unknown>>
  /** What is known of the answer so far, with all that was fetched on the way. */
  data: Data
  errors: unknown[]
  source: (name: string) => SubgraphDataSource | undefined
  /** The entities that fetches ask for, by where they are and what of them is told. */
  asked: Map<string, Asked>
  /** How far the joint calls are that wait for their parts. */
  joint: Map<object, { missing: number; done: Promise<void>; go: () => void }>
}

/** The package does not export the enumeration. */
const incomingOperation = 'incoming operation' as SubgraphCall['kind']

/** A part of a plan, ready to run. It never rejects for what a subgraph says. */
export type Step = (run: Run) => Promise<void>

/** What the fetches of one plan are compiled with. */
export interface Compiling {
  supergraph: GraphQLSchema
  /** The response keys of fields that were fetched under another one. */
  keys: ReadonlyMap<string, string>
}

/** Compiles a fetch that requires nothing, for the objects at a path of the answer. */
export function fieldsStep(fetch: FetchNode, path: Path, compiling: Compiling): Step {
  const rewrite = rewriter(fetch.outputRewrites, compiling.supergraph)
  const failed = failureOf(fetch.serviceName, compiling.keys)
  return async (run) => {
    // Outside of the try: what does not fit the schema at all is no error of this fetch.
    const objects = objectsAt([run.data], path)
    if (objects.length === 0) return
    try {
      const { data, errors } = await ask(run, fetch, path, variablesOf(fetch, run))
      for (const error of errors ?? []) failed(run, error, error.path && [...path, ...error.path])
      if (!data) return
      rewrite(data)
      objects.forEach((object, index) => merge(object, data, index < objects.length - 1))
    } catch (error) {
      run.errors.push(error)
    }
  }
}

/**
 * Asks a subgraph.
 * @param path where in the answer this is for
 */
export async function ask(
  run: Run,
  { serviceName, operation, operationName }: Pick<FetchNode, 'serviceName' | 'operation' | 'operationName'>,
  path: Path,
  variables: Record<string, unknown>,
): Promise<SubgraphAnswer> {
  const source = run.source(serviceName)
  if (!source) throw new Error(`Couldn't find service with name "${serviceName}"`)
  return source.process({
    kind: incomingOperation,
    request: { query: operation, variables, operationName },
    incomingRequestContext: run.requestContext,
    context: run.requestContext.context,
    pathInIncomingRequest: [...path],
  })
}

/** The variables of the request that a fetch uses; those not given have their defaults in the subgraph operation. */
export function variablesOf({ variableUsages }: FetchNode, { variables }: Run): Record<string, unknown> {
  const used = Object.create(null) as Record<string, unknown>
  for (const name of variableUsages ?? []) {
    if (Object.hasOwn(variables, name) && variables[name] !== undefined) used[name] = variables[name]
  }
  return used
}

export type Failure = (run: Run, error: GraphQLFormattedError, place: Path | undefined) => void

/** How errors of a subgraph become the gateway's own, with their place in the whole answer. */
export function failureOf(serviceName: string, keys: ReadonlyMap<string, string>): Failure {
  const inAnswer = (place: Path) => place.map((step) => (typeof step === 'string' && keys.get(step)) || step)
  return (run, error, place) => {
    const { message, extensions } = error
    run.errors.push(
      new GraphQLError(message || `Error while fetching subquery from service "${serviceName}"`, {
        originalError: error as unknown as Error,
        path: place && inAnswer(place),
        extensions: { ...extensions, serviceName, code: extensions?.['code'] || 'DOWNSTREAM_SERVICE_ERROR' },
      }),
    )
  }
}
