import type { GraphQLDataSourceProcessOptions } from '@apollo/gateway'
import { GraphQLError, isObjectType, type GraphQLFormattedError, type GraphQLSchema } from 'graphql'
import type { GatewayContext, SubgraphDataSource } from '../context'
import { isData, merge, objectsAt, placesOf, type Data, type Path } from './data'
import { representationOf, rewriter } from './representations'
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
}

/** The package does not export the enumeration. */
const incomingOperation = 'incoming operation' as SubgraphCall['kind']

/** A part of a plan, ready to run. It never rejects for what a subgraph says. */
export type Step = (run: Run) => Promise<void>

/**
 * Compiles one call of a subgraph, for the objects at a path of the answer.
 *
 * @param keys the response keys of fields that were fetched under another one
 */
export function fetchStep(
  fetch: FetchNode,
  path: Path,
  supergraph: GraphQLSchema,
  keys: ReadonlyMap<string, string>,
): Step {
  const rewrite = rewriter(fetch.outputRewrites, supergraph)
  const represent = fetch.requires && representationOf(fetch, supergraph)

  async function ask(run: Run, variables: Record<string, unknown>) {
    const source = run.source(fetch.serviceName)
    if (!source) throw new Error(`Couldn't find service with name "${fetch.serviceName}"`)
    return source.process({
      kind: incomingOperation,
      request: { query: fetch.operation, variables, operationName: fetch.operationName },
      incomingRequestContext: run.requestContext,
      context: run.requestContext.context,
      pathInIncomingRequest: [...path],
    })
  }

  const inAnswer = (place: Path) => place.map((step) => (typeof step === 'string' && keys.get(step)) || step)

  function failed(run: Run, error: GraphQLFormattedError, place: Path | undefined): void {
    run.errors.push(errorOf(error, fetch.serviceName, place && inAnswer(place)))
  }

  async function fetchFields(run: Run, objects: Data[]): Promise<void> {
    const { data, errors } = await ask(run, variablesOf(fetch, run))
    for (const error of errors ?? []) failed(run, error, error.path && [...path, ...error.path])
    if (!data) return
    rewrite(data)
    objects.forEach((object, index) => merge(object, data, index < objects.length - 1))
  }

  async function fetchEntities(run: Run, objects: Data[], representation: NonNullable<typeof represent>) {
    const { representations, entities } = distinct(objects, representation)
    if (representations.length === 0) return
    const variables = variablesOf(fetch, run)
    if ('representations' in variables) throw new Error('Variables cannot contain key "representations"')
    const { data, errors } = await ask(run, { ...variables, representations })
    if (errors?.length) {
      const places = placesOf(run.data, path)
      for (const error of errors) {
        const index = error.path?.[1]
        if (typeof index !== 'number') {
          failed(run, error, error.path && [...path, ...error.path])
          continue
        }
        const rest = error.path!.slice(2)
        const all = [...new Set(entities[index])].flatMap((entity) => places.get(entity) ?? [])
        // Without data nothing was asked of single entities: the error is about the call and names one place only.
        for (const place of data ? all : all.slice(0, 1)) failed(run, error, [...place, ...rest])
        if (all.length === 0) failed(run, error, rest)
      }
    }
    if (!data) return
    const answers: unknown = data['_entities']
    if (!Array.isArray(answers)) throw new Error('Expected "data._entities" in response to be an array')
    if (answers.length !== representations.length)
      throw new Error(`Expected "data._entities" to contain ${representations.length} elements`)
    answers.forEach((answer: unknown, index) => {
      if (!isData(answer)) return
      const equal = entities[index]!
      answer['__typename'] ||= equal[0]!['__typename']
      rewrite(answer)
      equal.forEach((entity, at) => {
        const known = entity['__typename']
        // The last one takes the answer itself, so that most often nothing is copied.
        merge(entity, answer, at < equal.length - 1)
        // A subgraph that has an interface as one object type does not know better what the entity is.
        if (isObjectName(known) && !isObjectName(entity['__typename'])) entity['__typename'] = known
      })
    })
  }

  const isObjectName = (name: unknown) => typeof name === 'string' && isObjectType(supergraph.getType(name))

  return async (run) => {
    // Outside of the try: what does not fit the schema at all is no error of this fetch.
    const objects = objectsAt([run.data], path)
    if (objects.length === 0) return
    try {
      if (represent) await fetchEntities(run, objects, represent)
      else await fetchFields(run, objects)
    } catch (error) {
      run.errors.push(error)
    }
  }
}

/** The variables of the request that a fetch uses; those not given have their defaults in the subgraph operation. */
function variablesOf({ variableUsages }: FetchNode, { variables }: Run): Record<string, unknown> {
  const used = Object.create(null) as Record<string, unknown>
  for (const name of variableUsages ?? []) {
    if (Object.hasOwn(variables, name) && variables[name] !== undefined) used[name] = variables[name]
  }
  return used
}

/** Each representation once, with the entities that have it. */
function distinct(
  objects: readonly Data[],
  represent: (entity: Data) => Data | null,
): { representations: Data[]; entities: Data[][] } {
  const representations: Data[] = []
  const entities: Data[][] = []
  const known = new Map<string, number>()
  for (const object of objects) {
    const representation = represent(object)
    if (!representation) continue
    const key = keyOf(representation)
    const index = known.get(key)
    if (index !== undefined) entities[index]!.push(object)
    else {
      known.set(key, representations.push(representation) - 1)
      entities.push([object])
    }
  }
  return { representations, entities }
}

/** A text that only equal representations have: most are a type name and an id, which need no JSON. */
function keyOf(representation: Data): string {
  let key = ''
  for (const name of Object.keys(representation)) {
    const value = representation[name]
    if (typeof value !== 'string') return JSON.stringify(representation)
    // With its length in front, no value can pass for another field.
    key += `${name} ${value.length} ${value} `
  }
  return key
}

/** A subgraph's error as the gateway's own, with its place in the whole answer. */
function errorOf(error: GraphQLFormattedError, serviceName: string, path: Path | undefined): GraphQLError {
  const { message, extensions } = error
  return new GraphQLError(message || `Error while fetching subquery from service "${serviceName}"`, {
    originalError: error as unknown as Error,
    path,
    extensions: { ...extensions, serviceName, code: extensions?.['code'] || 'DOWNSTREAM_SERVICE_ERROR' },
  })
}
