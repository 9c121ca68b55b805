import {
  GraphQLError,
  Kind,
  parse,
  type DirectiveNode,
  type DocumentNode,
  type SelectionSetNode,
  type TypeNode,
  type ValueNode,
} from 'graphql'
import { queryTooCostly } from '../../kernel/errors'
import type { DocumentBounds } from './bounds'
import { expansionFault } from './document-expansion'
import type { Limits } from './limits'

export type Caller = 'anonymous' | 'signedIn'

/**
 * The bounds by caller. Anonymous callers sign in, refresh, accept an invitation, and load the schema where they may:
 * theirs hold several times the largest of these. The others hold several times what screens ask for.
 */
export const documentBounds: Readonly<Record<Caller, DocumentBounds>> = {
  anonymous: {
    characters: 10_000,
    tokens: 1000,
    depth: 20,
    selections: 500,
    rootFields: 5,
    mutations: 1,
    aliases: 5,
    repetitions: 5,
    pairs: 500,
    operations: 5,
    fragments: 10,
    spreads: 100,
    variables: 20,
    directives: 20,
    directivesPerNode: 3,
    literal: 2000,
    valueDepth: 16,
    errors: 3,
  },
  signedIn: {
    characters: 200_000,
    tokens: 5000,
    depth: 20,
    selections: 2000,
    rootFields: 100,
    mutations: 100,
    aliases: 100,
    repetitions: 100,
    pairs: 10_000,
    operations: 50,
    fragments: 100,
    spreads: 1000,
    variables: 200,
    directives: 500,
    directivesPerNode: 10,
    literal: 100_000,
    valueDepth: 32,
    errors: 5,
  },
}

/** The bounds of a gateway: those of the table, and never more than its limits. */
export function boundsWithin(limits: Limits): Readonly<Record<Caller, DocumentBounds>> {
  const within = (bounds: DocumentBounds): DocumentBounds => ({
    ...bounds,
    tokens: Math.min(bounds.tokens, limits.maxTokens),
    depth: Math.min(bounds.depth, limits.maxDepth),
    selections: Math.min(bounds.selections, limits.maxSelections),
    valueDepth: Math.min(bounds.valueDepth, limits.maxVariableDepth),
  })
  return { anonymous: within(documentBounds.anonymous), signedIn: within(documentBounds.signedIn) }
}

/**
 * Parses a document that is within the bounds, in time proportional to its text.
 *
 * @throws ApiError QUERY_TOO_COSTLY beyond a bound; GraphQLError GRAPHQL_PARSE_FAILED when it is no document, and
 *   GRAPHQL_VALIDATION_FAILED when a fragment spreads itself
 */
export function parseWithin(source: string, bounds: DocumentBounds): DocumentNode {
  if (source.length > bounds.characters)
    throw queryTooCostly(
      `The document has ${source.length} characters, at most ${bounds.characters}: split it`,
    )
  const document = parsed(source, bounds.tokens)
  const fault = boundsFault(document, bounds)
  if (fault) throw fault
  return document
}

function parsed(source: string, maxTokens: number): DocumentNode {
  try {
    return parse(source, { maxTokens })
  } catch (error) {
    // The parser calls itself for each level: deeper than its stack is deeper than any bound.
    if (!(error instanceof GraphQLError)) throw queryTooCostly('The document is nested too deep: split it')
    if (/contains more that \d+ tokens/.test(error.message))
      throw queryTooCostly('The document is too long: split it, or use fewer aliases')
    const { message, source: text, positions } = error
    throw new GraphQLError(message, {
      source: text,
      positions: positions && [...positions],
      extensions: { code: 'GRAPHQL_PARSE_FAILED' },
    })
  }
}

/** The first bound that a parsed document goes beyond, or null. */
export function boundsFault(document: DocumentNode, bounds: DocumentBounds): GraphQLError | null {
  return countFault(document, bounds) ?? expansionFault(document, bounds)
}

/** The bounds of what stands in the text, counted in one walk over it. */
function countFault(document: DocumentNode, bounds: DocumentBounds): GraphQLError | null {
  const counts = { operations: 0, fragments: 0, variables: 0, directives: 0 }
  let fault: GraphQLError | null = null
  const beyond = (what: string, is: number, most: number) => {
    if (is > most) fault ??= queryTooCostly(`The document has ${what}, at most ${most}: split it`)
  }
  const sets: { set: SelectionSetNode; level: number }[] = []

  function directives(nodes: readonly DirectiveNode[] | undefined): void {
    if (!nodes?.length) return
    beyond(`${nodes.length} directives in one place`, nodes.length, bounds.directivesPerNode)
    counts.directives += nodes.length
    for (const node of nodes) values(node.arguments?.map(({ value }) => value))
  }

  /** Level by level: a value may be nested as deep as its text is long. */
  function values(nodes: readonly ValueNode[] | undefined): void {
    let level = nodes ?? []
    for (let depth = 0; level.length > 0 && !fault; depth++) {
      beyond(`a value of ${depth} levels`, depth, bounds.valueDepth)
      const next: ValueNode[] = []
      for (const node of level) {
        if (node.kind === Kind.LIST) next.push(...node.values)
        else if (node.kind === Kind.OBJECT) for (const { value } of node.fields) next.push(value)
        else if (node.kind === Kind.STRING || node.kind === Kind.INT || node.kind === Kind.FLOAT)
          beyond(`a value of ${node.value.length} characters`, node.value.length, bounds.literal)
      }
      level = next
    }
  }

  for (const definition of document.definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) {
      counts.operations++
      for (const variable of definition.variableDefinitions ?? []) {
        counts.variables++
        beyond('a type of too many levels', levelsOf(variable.type), bounds.valueDepth)
        directives(variable.directives)
        if (variable.defaultValue) values([variable.defaultValue])
      }
    } else if (definition.kind === Kind.FRAGMENT_DEFINITION) counts.fragments++
    else return invalid('A request holds operations and fragments, no definitions of types')
    directives(definition.directives)
    sets.push({ set: definition.selectionSet, level: 1 })
  }
  for (let next = sets.pop(); next && !fault; next = sets.pop()) {
    const { set, level } = next
    // A fragment without a name is a level of the text, though none of the answer.
    beyond(`selections of ${level} levels`, level, bounds.depth * 2)
    for (const selection of set.selections) {
      directives(selection.directives)
      if (selection.kind === Kind.FRAGMENT_SPREAD) continue
      if (selection.kind === Kind.FIELD) values(selection.arguments?.map(({ value }) => value))
      if (selection.selectionSet) sets.push({ set: selection.selectionSet, level: level + 1 })
    }
  }
  for (const what of ['operations', 'fragments', 'variables', 'directives'] as const)
    beyond(`${counts[what]} ${what}`, counts[what], bounds[what])
  return fault
}

function levelsOf(type: TypeNode): number {
  let levels = 0
  for (let node = type; node.kind !== Kind.NAMED_TYPE; node = node.type) levels++
  return levels
}

/** @returns a refusal as validation words it */
export function invalid(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } })
}
