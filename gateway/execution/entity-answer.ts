import { isObjectType, type GraphQLFormattedError } from 'graphql'
import type { SubgraphAnswer } from '../context'
import { isData, merge, placesOf, type Path } from './data'
import type { Asked } from './entities'
import { failureOf, type Compiling, type Run } from './fetch'
import type { FetchNode } from './query-plan'
import { rewriter } from './representations'

/**
 * Puts the entities of an answer into all places that asked for them, and its errors to these places.
 * @throws Error when there are not as many as were asked for
 */
export type Receive = (run: Run, asked: Asked, answer: SubgraphAnswer) => void

/** Compiles what becomes of the answers to an entity fetch for the objects at these paths. */
export function receiver(fetch: FetchNode, paths: readonly Path[], { supergraph, keys }: Compiling): Receive {
  const rewrites = (fetch.outputRewrites?.length ?? 0) > 0
  const rewrite = rewriter(fetch.outputRewrites, supergraph)
  const failed = failureOf(fetch.serviceName, keys)
  const isObjectName = (name: unknown) => typeof name === 'string' && isObjectType(supergraph.getType(name))

  function place(run: Run, asked: Asked, errors: readonly GraphQLFormattedError[], hasData: boolean): void {
    const { objects, indices, firsts } = asked
    const places = paths.map((path) => placesOf(run.data, path))
    for (const error of errors) {
      const [, index, ...rest] = error.path ?? []
      const having =
        typeof index === 'number' ? new Set(objects.filter((_, at) => indices[at] === index)) : null
      if (having?.size === 0) failed(run, error, rest)
      paths.forEach((path, at) => {
        const first = firsts[at]
        if (!having && (hasData ? at === 0 : first)) {
          const ofCall = error.path?.length ? ['_entities', ...error.path.slice(1)] : error.path
          failed(run, error, ofCall && [...path, ...ofCall])
        } else if (having?.size && hasData) {
          for (const object of having)
            for (const known of places[at]!.get(object) ?? []) failed(run, error, [...known, ...rest])
        } else if (having?.size && first) {
          // Without data nothing was asked of single entities: the error is about the call and names one place of each
          // path.
          const object = [...having].find((one) => places[at]!.has(one)) ?? first
          failed(run, error, [...places[at]!.get(object)![0]!, ...rest])
        }
      })
    }
  }

  return (run, asked, { data, errors }) => {
    if (errors?.length) place(run, asked, errors, Boolean(data))
    if (!data) return
    const answers: unknown = data['_entities']
    const { representations, objects, indices } = asked
    if (!Array.isArray(answers)) throw new Error('Expected "data._entities" in response to be an array')
    if (answers.length !== representations.length)
      throw new Error(`Expected "data._entities" to contain ${representations.length} elements`)
    const left = new Array<number>(answers.length).fill(0)
    for (const index of indices) left[index]!++
    if (rewrites) {
      for (const [index, answer] of answers.entries()) {
        if (!isData(answer)) continue
        answer['__typename'] ||= objects[indices.indexOf(index)]!['__typename']
        rewrite(answer)
      }
    }
    for (const [at, entity] of objects.entries()) {
      const index = indices[at]!
      const answer: unknown = answers[index]
      if (!isData(answer)) continue
      const known = entity['__typename']
      // The last one takes the answer itself, so that most often nothing is copied.
      merge(entity, answer, --left[index]! > 0)
      const told = entity['__typename']
      // A subgraph that has an interface as one object type does not know better what the entity is.
      if (told !== known && isObjectName(known) && !isObjectName(told)) entity['__typename'] = known
    }
  }
}
