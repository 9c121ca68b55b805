import { composition, type Composition } from './compose'
import { locationOf, locator, type Location } from './locations'
import type { SchemaModel } from '../schema-model'
import { plainlySatisfiable } from './satisfiability'
import type { SubgraphSource } from './subgraph-files'
import { readSupergraph } from './supergraph-text'

/** Why subgraphs do not compose, and where to mend it. */
export interface CompositionProblem {
  code: string
  message: string
  location: Location | null
  /** Holds what to do; null when the message says it already. */
  fix: string | null
}

/** Describes what composition comes to. */
export interface Composed {
  /** Null when there are problems. */
  supergraph: string | null
  problems: CompositionProblem[]
}

/** Composes, here or in another thread. */
export type Compose = (
  subgraphs: readonly SubgraphSource[],
  options?: { thorough?: boolean },
) => Promise<Composed>

export interface ComposedGraph extends Composed {
  model: SchemaModel | null
}

/** Holds what to do about the faults people meet most. Apollo's messages say what is wrong, rarely what to do. */
const fixes: Record<string, string> = {
  INVALID_FIELD_SHARING:
    'Let one subgraph own the field, mark it @shareable in all of them, or move it with @override(from:).',
  INCONSISTENT_INPUT_OBJECT_FIELD:
    'Inputs merge by intersection: give the field to every subgraph that has the input, or name the inputs differently.',
  INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM:
    'Enums that clients send merge by intersection: give the value to every subgraph.',
  SATISFIABILITY_ERROR:
    'Give the subgraph that has the field a @key whose fields the other subgraphs resolve.',
  KEY_INVALID_FIELDS: 'Name fields of the type in @key(fields:).',
  MISSING_TRANSITIVE_AUTH_REQUIREMENTS:
    'Ask for at least the rights of the required field where it is required.',
  REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH: 'Give the input field to every subgraph that has the input.',
  INCONSISTENT_DESCRIPTION: 'Use the same description in all subgraphs, or describe it in one of them only.',
  OVERRIDE_DIRECTIVE_CAN_BE_REMOVED: 'The move is complete: remove @override.',
  NO_QUERIES: 'Give one subgraph a Query type with a field.',
}

/**
 * Composes subgraphs and says where each problem is.
 * @param thorough search for a way to every field even where {@link plainlySatisfiable} proves that there is one
 */
export function composeGraph(subgraphs: readonly SubgraphSource[], { thorough = false } = {}): ComposedGraph {
  const proof = (text: string) => plainlySatisfiable(readSupergraph(text))
  const composed = reportComposition(composition(subgraphs, thorough ? undefined : proof), subgraphs)
  return { ...composed, model: composed.supergraph === null ? null : readSupergraph(composed.supergraph) }
}

/** Returns what came of composing, with the place of each problem and a way out. */
export function reportComposition(
  { supergraph, faults }: Composition,
  subgraphs: readonly Pick<SubgraphSource, 'typeDefs'>[],
): Composed {
  const find = locator(subgraphs.map(({ typeDefs }) => typeDefs))
  return {
    supergraph,
    problems: faults.map(({ code, message, nodes }) => ({
      code,
      message,
      location: nodes.map(locationOf).find((place) => place !== null) ?? find(coordinateIn(message)),
      fix: fixes[code] ?? null,
    })),
  }
}

/** The coordinate a message is about. What cannot be reached is named last: `cannot find field "T.b"`. */
function coordinateIn(message: string): string {
  return (
    /cannot find field "([\w.]+)"/.exec(message)?.[1] ??
    /"(\w+(?:\.\w+)?(?:\(\w+:\))?)"/.exec(message)?.[1] ??
    ''
  )
}
