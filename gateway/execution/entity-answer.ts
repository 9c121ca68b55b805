import { GraphQLError, isObjectType, type GraphQLFormattedError } from 'graphql'
import type { SubgraphAnswer } from '../context'
import { isData, merge, placesOf, type Path } from './data'
import type { Asked } from './entities'
import { failureOf, keysOf, noData, placeOf, type Compiling, type Run } from './fetch'
import type { FetchNode } from './query-plan'
import { rewriter } from './representations'

/** Puts the entities of an answer into all places that asked for them, and its errors to these places. */
export interface Receive {
  (run: Run, asked: Asked, answer: SubgraphAnswer): void
  /** Tells that the call failed, once for each path that asked. */
  failed(run: Run, asked: Asked, error: unknown): void
}

/** Compiles what becomes of the answers to an entity fetch for the objects at these paths. */
export function receiver(
  fetch: FetchNode,
  paths: readonly Path[],
  { supergraph, names }: Compiling,
): Receive {
  const rewrites = (fetch.outputRewrites?.length ?? 0) > 0
  const rewrite = rewriter(fetch.outputRewrites, supergraph)
  const failed = failureOf(fetch.serviceName, names)
  const isObjectName = (name: unknown) => typeof name === 'string' && isObjectType(supergraph.getType(name))
  let keys: string[] | undefined
  /** The places of what the fetch asks for of the objects at a path. */
  const fieldsAt = (path: Path) => (keys ??= keysOf(fetch.operation)).map((key) => [...path, key])

  /** For each path that asked. */
  function eachPath({ firsts }: Asked, tell: (path: Path) => void): void {
    paths.forEach((path, at) => firsts[at] && tell(path))
  }

  function tellAll(run: Run, asked: Asked, errorAt: (place: Path) => unknown): void {
    eachPath(asked, (path) => {
      const error = errorAt(placeOf(path))
      run.errors.push(error)
      run.ofCalls.set(error, fieldsAt(path))
    })
  }

  function place(run: Run, asked: Asked, errors: readonly GraphQLFormattedError[], hasData: boolean): void {
    const { objects, indices, firsts } = asked
    const places = paths.map((path) => placesOf(run.data, path))
    for (const error of errors) {
      const [, index, ...rest] = error.path ?? []
      const having = new Set(
        typeof index === 'number' ? objects.filter((_, at) => indices[at] === index) : undefined,
      )
      if (having.size === 0 && hasData && (index !== undefined || !error.path?.length)) {
        failed(run, error, undefined)
      } else if (having.size === 0) {
        eachPath(asked, (path) => failed(run, error, placeOf(path), fieldsAt(path)))
      } else if (hasData) {
        for (const known of places)
          for (const object of having)
            for (const one of known.get(object) ?? []) failed(run, error, [...one, ...rest])
      } else {
        // Without data nothing was asked of single entities: the error is about the call and names one place of each
        // path.
        paths.forEach((path, at) => {
          const first = firsts[at]
          if (!first) return
          const object = [...having].find((one) => places[at]!.has(one)) ?? first
          failed(run, error, [...places[at]!.get(object)![0]!, ...rest], fieldsAt(path))
        })
      }
    }
  }

  function receive(run: Run, asked: Asked, { data, errors }: SubgraphAnswer): void {
    if (errors?.length) place(run, asked, errors, Boolean(data))
    const answers: unknown = data?.['_entities'] ?? null
    // Said already, unless the errors are about nothing in particular beside data.
    if (answers === null && errors?.some(({ path }) => !data || path?.length)) return
    const { representations, objects, indices } = asked
    if (!Array.isArray(answers) || answers.length !== representations.length) {
      return tellAll(run, asked, (place) => noData(fetch.serviceName, place))
    }
    const left = new Array<number>(answers.length).fill(0)
    for (const index of indices) left[index]!++
    if (rewrites) rewriteAll(rewrite, answers, asked)
    for (const [at, entity] of objects.entries()) {
      const index = indices[at]!
      const answer: unknown = answers[index]
      if (!isData(answer)) {
        if (answer !== null)
          for (const known of paths.flatMap((path) => placesOf(run.data, path).get(entity) ?? []))
            run.errors.push(noData(fetch.serviceName, known))
        continue
      }
      const known = entity['__typename']
      // The last one takes the answer itself, so that most often nothing is copied.
      merge(entity, answer, --left[index]! > 0)
      const told = entity['__typename']
      // A subgraph that has an interface as one object type does not know better what the entity is.
      if (told !== known && isObjectName(known) && !isObjectName(told)) entity['__typename'] = known
    }
  }
  return Object.assign(receive, {
    failed: (run: Run, asked: Asked, error: unknown) => tellAll(run, asked, (place) => located(error, place)),
  })
}

function rewriteAll(
  rewrite: (value: unknown) => void,
  answers: readonly unknown[],
  { objects, indices }: Asked,
): void {
  for (const [index, answer] of answers.entries()) {
    if (!isData(answer)) continue
    answer['__typename'] ||= objects[indices.indexOf(index)]!['__typename']
    rewrite(answer)
  }
}

/** The error, at a place if it is an error with none. */
function located(error: unknown, path: Path): unknown {
  if (!(error instanceof GraphQLError) || error.path) return error
  const { message, extensions, originalError } = error
  return new GraphQLError(message, { path, extensions, originalError })
}
