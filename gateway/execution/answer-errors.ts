import { GraphQLError } from 'graphql'
import { ApiError } from '../../kernel/errors'
import type { CompletionFault } from './complete-result'
import { set, type Path } from './data'
import type { Run } from './fetch'

/** A null of the answer that no error is about yet. */
interface Unexplained extends CompletionFault {
  /** An error about something else that took the value with it. */
  cause?: GraphQLError
}

/**
 * Makes nulls of what no subgraph said anything of for a reason that is known: it said that there is no such entity, or
 * the call failed and that is told. Only once all is fetched: what is required and not known is never asked with.
 *
 * What could not be asked for is null without a word where all that was missing for it was of this kind; where a
 * subgraph left something out, completion finds it missing.
 */
export function fillUnanswered(unanswered: Run['unanswered']): void {
  for (const { objects, keys, isKnown } of unanswered)
    for (const object of objects) {
      if (isKnown && !isKnown(object)) continue
      for (const key of keys) if (object[key] === undefined) set(object, key, null)
    }
}

/** The nulls that completing an answer made, without those that an error of the run is about. */
export function unexplainedNulls(
  { errors, ofCalls, lost }: Pick<Run, 'errors' | 'ofCalls' | 'lost'>,
  nulls: readonly CompletionFault[],
): readonly Unexplained[] {
  if (nulls.length === 0) return nulls
  const explained = explainedBy(errors, ofCalls)
  const left = nulls.filter(({ path }) => !explained(path))
  if (lost.size === 0) return left
  return left.map((fault) => ({ ...fault, cause: lost.get(JSON.stringify(ofField(fault.path))) }))
}

/**
 * The errors of an answer: what the calls failed with, and each null that nothing of that explains. Refusals of access
 * are told once for a field of the operation, and of very many errors those that stand for the others.
 */
export function answerErrors(
  { errors }: Pick<Run, 'errors'>,
  unexplained: readonly Unexplained[],
): unknown[] {
  const told = refusedOnce(errors)
  for (const { message, path, cause } of unexplained)
    told.push(
      new GraphQLError(cause?.message ?? message, {
        path,
        originalError: cause?.originalError,
        extensions: cause?.extensions ?? { code: invalid },
      }),
    )
  return bounded(told)
}

/** Says how many errors an answer has at the most, besides the one that says how many are left out. */
const mostErrors = 100

/** Leaves out errors beyond the most, those last that are the first of their field and code. The nulls stay. */
function bounded(errors: readonly unknown[]): unknown[] {
  if (errors.length <= mostErrors) return [...errors]
  const kinds = new Set<string>()
  const [firsts, others]: [unknown[], unknown[]] = [[], []]
  for (const error of errors) {
    const { path = [], extensions } = error as Partial<GraphQLError>
    const kind = JSON.stringify([extensions?.['code'], ofField(path)])
    ;(kinds.has(kind) ? others : firsts).push(error)
    kinds.add(kind)
  }
  const kept = new Set([...firsts, ...others].slice(0, mostErrors))
  const left = errors.length - kept.size
  const message = `${left} more errors are left out: values that are null without an error may be of the same kinds`
  return [...errors.filter((error) => kept.has(error)), new ApiError('ERRORS_OMITTED', message)]
}

const invalid = 'SUBGRAPH_INVALID_ANSWER'

/** Tells whether an error is about a place: it names the same one, one above or one below. */
function explainedBy(errors: readonly unknown[], ofCalls: Run['ofCalls']): (place: Path) => boolean {
  const [named, above] = [new Set<string>(), new Set<string>()]
  const [ofCall, aboveOfCall] = [new Set<string>(), new Set<string>()]
  const add = (path: Path, places: Set<string>, prefixes: Set<string>) => {
    places.add(JSON.stringify(path))
    for (let length = 1; length < path.length; length++) prefixes.add(JSON.stringify(path.slice(0, length)))
  }
  for (const error of errors) {
    const places = ofCalls.get(error)
    // The path of an error about a call is only one of the places that it is about.
    if (places) for (const place of places) add(place, ofCall, aboveOfCall)
    else if (error instanceof GraphQLError && error.path?.length) add(error.path, named, above)
  }
  const within = (place: Path, places: Set<string>, prefixes: Set<string>) => {
    if (places.size === 0) return false
    if (prefixes.has(JSON.stringify(place))) return true
    return place.some((_, index) => places.has(JSON.stringify(place.slice(0, index + 1))))
  }
  return (place) => within(place, named, above) || within(ofField(place), ofCall, aboveOfCall)
}

/** The field of the operation that a place is of, as a path with `@` for every item. */
function ofField(place: Path): Path {
  return place.map((step) => (typeof step === 'number' ? '@' : step))
}

const refusals: ReadonlySet<unknown> = new Set(['FORBIDDEN', 'UNAUTHENTICATED'])

/**
 * The errors, with one for the same refusal of a field of the operation instead of one for each row: the one whose
 * place comes first. The nulls of the others stay where they are.
 */
function refusedOnce(errors: readonly unknown[]): unknown[] {
  if (errors.length < 2) return [...errors]
  const firsts = new Map<string, { at: number; error: GraphQLError }>()
  const told: unknown[] = []
  for (const error of errors) {
    const isRefusal = error instanceof GraphQLError && error.path && refusals.has(error.extensions['code'])
    if (!isRefusal) {
      told.push(error)
      continue
    }
    const { message, path = [], extensions } = error
    const key = JSON.stringify([message, extensions['code'], extensions['serviceName'], ofField(path)])
    const known = firsts.get(key)
    if (!known) firsts.set(key, { at: told.push(error) - 1, error })
    else if (comesBefore(path, known.error.path!)) told[known.at] = known.error = error
  }
  return told
}

/** Tells whether the first of two places of a field comes first in the lists that they are in. */
function comesBefore(one: Path, other: Path): boolean {
  const index = one.findIndex((step, at) => step !== other[at])
  return index >= 0 && Number(one[index]) < Number(other[index])
}
