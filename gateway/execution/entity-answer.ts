import { GraphQLError, isObjectType, type GraphQLFormattedError } from 'graphql'
import type { SubgraphAnswer } from '../context'
import { isData, merge, placesOf, type Data, type Path } from './data'
import type { Asked } from './entities'
import {
  failureOf,
  keysOf,
  noData,
  placeOf,
  type Compiling,
  type Failure,
  type Run,
  type Unanswered,
} from './fetch'
import type { FetchNode } from './query-plan'
import { rewriter } from './representations'

/** Puts the entities of the answers to one fetch into all places that asked for them, and their errors to these places. */
export class EntityReceiver {
  readonly #rewrite: ((value: unknown) => void) | null
  readonly #failed: Failure
  #keys: string[] | undefined

  /** @param paths where the objects are that the fetch is for */
  constructor(
    private readonly fetch: FetchNode,
    private readonly paths: readonly Path[],
    private readonly compiling: Pick<Compiling, 'supergraph' | 'names'>,
  ) {
    const { outputRewrites, serviceName } = fetch
    this.#rewrite = outputRewrites?.length ? rewriter(outputRewrites, compiling.supergraph) : null
    this.#failed = failureOf(serviceName, compiling.names)
  }

  receive(run: Run, asked: Asked, { data, errors }: SubgraphAnswer): void {
    if (errors?.length) this.#place(run, asked, errors, Boolean(data))
    const answers: unknown = data?.['_entities'] ?? null
    // Said already, unless the errors are about nothing in particular beside data.
    if (answers === null && errors?.some(({ path }) => !data || path?.length))
      return this.unanswered(run, asked.objects)
    const { serviceName } = this.fetch
    if (!Array.isArray(answers) || answers.length !== asked.representations.length)
      return this.#tellAll(run, asked, (place) => noData(serviceName, place))
    if (this.#rewrite) rewriteAll(this.#rewrite, answers, asked)
    this.#merge(run, asked, answers)
  }

  /** Tells that the call failed, once for each path that asked. */
  failed(run: Run, asked: Asked, error: unknown): void {
    this.#tellAll(run, asked, (place) => located(error, place))
  }

  /** Notes that nothing will be said of objects. */
  unanswered(run: Run, objects: readonly Data[], isKnown?: Unanswered['isKnown']): void {
    run.unanswered.push({ objects, keys: (this.#keys ??= keysOf(this.fetch)), isKnown })
  }

  #merge(run: Run, { objects, indices }: Asked, answers: readonly unknown[]): void {
    const left = new Array<number>(answers.length).fill(0)
    for (const index of indices) left[index]!++
    const unknown: Data[] = []
    for (const [at, entity] of objects.entries()) {
      const index = indices[at]!
      const answer: unknown = answers[index]
      if (!isData(answer)) {
        // Null says that there is no such entity, or none that the viewer may see.
        unknown.push(entity)
        if (answer !== null)
          for (const known of this.paths.flatMap((path) => placesOf(run.data, path).get(entity) ?? []))
            run.errors.push(noData(this.fetch.serviceName, known))
        continue
      }
      const known = entity['__typename']
      // The last one takes the answer itself, so that most often nothing is copied.
      merge(entity, answer, --left[index]! > 0)
      const told = entity['__typename']
      // A subgraph that has an interface as one object type does not know better what the entity is.
      if (told !== known && this.#isObjectName(known) && !this.#isObjectName(told))
        entity['__typename'] = known
    }
    if (unknown.length > 0) this.unanswered(run, unknown)
  }

  #isObjectName(name: unknown): boolean {
    return typeof name === 'string' && isObjectType(this.compiling.supergraph.getType(name))
  }

  #place(run: Run, asked: Asked, errors: readonly GraphQLFormattedError[], hasData: boolean): void {
    const { objects, indices, firsts } = asked
    const places = this.paths.map((path) => placesOf(run.data, path))
    for (const error of errors) {
      const [, index, ...rest] = error.path ?? []
      const having = new Set(
        typeof index === 'number' ? objects.filter((_, at) => indices[at] === index) : undefined,
      )
      if (having.size === 0 && hasData && (index !== undefined || !error.path?.length)) {
        this.#failed(run, error, undefined)
      } else if (having.size === 0) {
        this.#eachPath(asked, (path) => this.#failed(run, error, placeOf(path), this.#fieldsAt(path)))
      } else if (hasData) {
        for (const known of places)
          for (const object of having)
            for (const one of known.get(object) ?? []) this.#failed(run, error, [...one, ...rest])
      } else {
        // Without data nothing was asked of single entities: the error is about the call and names one place of each
        // path.
        this.paths.forEach((path, at) => {
          const first = firsts[at]
          if (!first) return
          const object = [...having].find((one) => places[at]!.has(one)) ?? first
          const place = [...places[at]!.get(object)![0]!, ...rest]
          this.#failed(run, error, place, this.#fieldsAt(path))
        })
      }
    }
  }

  #tellAll(run: Run, asked: Asked, errorAt: (place: Path) => unknown): void {
    this.unanswered(run, asked.objects)
    this.#eachPath(asked, (path) => {
      const error = errorAt(placeOf(path))
      run.errors.push(error)
      run.ofCalls.set(error, this.#fieldsAt(path))
    })
  }

  /** For each path that asked. */
  #eachPath({ firsts }: Asked, tell: (path: Path) => void): void {
    this.paths.forEach((path, at) => firsts[at] && tell(path))
  }

  /** The places of what the fetch asks for of the objects at a path, as the client calls them. */
  #fieldsAt(path: Path): Path[] {
    const { names } = this.compiling
    return (this.#keys ??= keysOf(this.fetch)).map((key) => [...path, names.get(key) ?? key])
  }
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
