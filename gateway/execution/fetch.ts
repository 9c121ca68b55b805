import type { GraphQLDataSourceProcessOptions } from '@apollo/gateway'
import {
  GraphQLError,
  Kind,
  parse,
  type GraphQLFormattedError,
  type GraphQLSchema,
  type SelectionSetNode,
} from 'graphql'
import type { GatewayContext, SubgraphAnswer, SubgraphDataSource } from '../context'
import { isData, merge, objectsAt, type Data, type Path } from './data'
import type { OwnFields } from './alias-conflicts'
import type { Asked } from './entities'
import { rewriter } from './representations'
import type { FetchNode } from './query-plan'
import { fragmentsOf, responseKey } from './selections'

type SubgraphCall = Extract<
  GraphQLDataSourceProcessOptions<GatewayContext>,
  { incomingRequestContext: object }
>

/** One request on its way through a plan. */
export interface Run {
  requestContext: SubgraphCall['incomingRequestContext']
  variables: Readonly<Record<string, unknown>>
  /** Holds what is known of the answer so far, with all that was fetched on the way. */
  data: Data
  errors: unknown[]
  /** Errors about whole calls, with the places whose nulls they explain, `@` for every item. */
  ofCalls: Map<unknown, readonly Path[]>
  /** By place as JSON, `@` for every item, the error that took the value there with it, though it is about another. */
  lost: Map<string, GraphQLError>
  /** Fields of objects that no subgraph will say anything of, for a reason that is known; in the order of the calls. */
  unanswered: Unanswered[]
  source: (name: string) => SubgraphDataSource | undefined
  /** The entities that fetches ask for, by where they are and what of them is told. */
  asked: Map<string, Asked>
  /** Says how far the joint calls are that wait for their parts. */
  joint: Map<object, { missing: number; done: Promise<void>; go: () => void }>
}

/** Fields that a fetch of entities did not get. */
export interface Unanswered {
  objects: readonly Data[]
  /** The names under which they are fetched. */
  keys: readonly string[]
  /** Tells whether an object could be asked for; left out where it was. */
  isKnown?: (object: Data) => boolean
}

/** The package does not export the enumeration. */
const incomingOperation = 'incoming operation' as SubgraphCall['kind']

/** A part of a plan, ready to run. It never rejects for what a subgraph says. */
export type Step = (run: Run) => Promise<void>

/** Describes what the fetches of one plan are compiled with. */
export interface Compiling {
  supergraph: GraphQLSchema
  /** Holds what clients know of the names under which fields are fetched and variables are sent. */
  names: ReadonlyMap<string, string>
  /** The client's variables by the names under which they are sent, where these are others. */
  variables: ReadonlyMap<string, string>
  own: OwnFields
}

/** Compiles a fetch that requires nothing, for the objects at a path of the answer. */
export function fieldsStep(fetch: FetchNode, path: Path, compiling: Compiling): Step {
  const rewrite = rewriter(fetch.outputRewrites, compiling.supergraph)
  const failed = failureOf(fetch.serviceName, compiling.names)
  const fields = () => keysOf(fetch).map((key) => [...path, compiling.names.get(key) ?? key])

  /** Without data, an error about one field takes the others with it. */
  function lose(run: Run, cause: GraphQLError): void {
    for (const place of fields()) run.lost.set(JSON.stringify(place), cause)
  }

  return async (run) => {
    const objects = objectsAt([run.data], path)
    if (objects.length === 0) return
    try {
      const { data, errors } = await ask(run, fetch, path, variablesOf(fetch, run, compiling.variables))
      const isRefused = !isData(data)
      const first = run.errors.length
      for (const error of errors ?? []) {
        if (!error.path?.length) failed(run, error, undefined, isRefused ? fields() : undefined)
        else failed(run, error, [...placeOf(path), ...error.path])
      }
      if (!isRefused) {
        rewrite(data)
        objects.forEach((object, index) => merge(object, data, index < objects.length - 1))
      } else if (errors?.length) lose(run, run.errors[first] as GraphQLError)
      else for (const place of fields()) run.errors.push(noData(fetch.serviceName, placeOf(place)))
    } catch (error) {
      run.errors.push(error)
      run.ofCalls.set(error, fields())
    }
  }
}

/** The first step of a path that is no item of a list, and what comes before the first list's items. */
export function placeOf(path: Path): Path {
  const list = path.indexOf('@')
  return list < 0 ? path : path.slice(0, list)
}

/** The names under which a fetch puts what it asks for into an object: its response keys, or what a plan makes of them. */
export function keysOf({ operation, outputRewrites = [] }: FetchNode): string[] {
  const document = parse(operation, { noLocation: true })
  const fragments = fragmentsOf(document)
  const keys = new Set<string>()
  function look({ selections }: SelectionSetNode): void {
    for (const node of selections) {
      if (node.kind === Kind.INLINE_FRAGMENT) look(node.selectionSet)
      else if (node.kind === Kind.FRAGMENT_SPREAD) look(fragments.get(node.name.value)!.selectionSet)
      else if (node.name.value === '_entities') look(node.selectionSet!)
      else keys.add(responseKey(node))
    }
  }
  for (const node of document.definitions)
    if (node.kind === Kind.OPERATION_DEFINITION) look(node.selectionSet)
  for (const rewrite of outputRewrites) {
    if (rewrite.kind !== 'KeyRenamer') continue
    const [key, ...below] = rewrite.path.filter((step) => !step.startsWith('... on '))
    if (below.length === 0 && keys.delete(key!)) keys.add(rewrite.renameKeyTo)
  }
  return [...keys]
}

/** A subgraph answered something that is no answer to what it was asked. */
export function noData(serviceName: string, place: Path | undefined): GraphQLError {
  return new GraphQLError(`The ${serviceName} subgraph gave an answer that does not fit the schema`, {
    path: place?.length ? place : undefined,
    extensions: { code: 'SUBGRAPH_INVALID_ANSWER' },
  })
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
export function variablesOf(
  { variableUsages }: FetchNode,
  { variables }: Run,
  names: Compiling['variables'],
): Record<string, unknown> {
  const used = Object.create(null) as Record<string, unknown>
  for (const sent of variableUsages ?? []) {
    const name = names.size > 0 ? (names.get(sent) ?? sent) : sent
    if (Object.hasOwn(variables, name) && variables[name] !== undefined) used[sent] = variables[name]
  }
  return used
}

/** @param explains the places whose nulls the error explains, when it is about a whole call */
export type Failure = (
  run: Run,
  error: GraphQLFormattedError,
  place: Path | undefined,
  explains?: readonly Path[],
) => void

/**
 * Says how errors of a subgraph become the gateway's own, with their place in the whole answer and the client's names.
 */
export function failureOf(serviceName: string, names: ReadonlyMap<string, string>): Failure {
  const inAnswer = (place: Path) => place.map((step) => (typeof step === 'string' && names.get(step)) || step)
  return (run, said, place, explains) => {
    const { message, extensions } = said
    const error = new GraphQLError(messageOf(message, serviceName, names), {
      originalError: said as unknown as Error,
      path: place?.length ? inAnswer(place) : undefined,
      extensions: { ...extensions, serviceName, code: extensions?.['code'] || 'DOWNSTREAM_SERVICE_ERROR' },
    })
    run.errors.push(error)
    if (explains) run.ofCalls.set(error, explains)
  }
}

/** Names of the gateway's own requests: clients know nothing of them, and could do nothing about them. */
const innerNames = /_entities|_Any\b|\brepresentations?\b|\bentities_*\d+\b/

function messageOf(message: unknown, serviceName: string, names: ReadonlyMap<string, string>): string {
  if (typeof message !== 'string' || message === '')
    return `The ${serviceName} subgraph failed without a message`
  let text = message
  for (const [inner, name] of names) text = text.replaceAll(inner, name)
  return innerNames.test(text) ? `The ${serviceName} subgraph could not say more of an object` : text
}
