import { GraphQLError, Kind, validate, visit, type DocumentNode, type GraphQLSchema } from 'graphql'
import { forbidden, unauthenticated } from '../../kernel/errors'
import { boundsFault, boundsWithin, invalid, parseWithin, type Caller } from './document-bounds'
import type { Limits } from './limits'
import { loneMutationFault } from './lone-mutations'
import { validationRules, ValueFault } from './value-faults'

/** To whom the schema is shown: by introspection, in the words of refusals, and in the explorer. */
export type SchemaVisibility = 'public' | 'signed-in' | 'off'

/** A document that may be executed. */
export interface CheckedDocument {
  document: DocumentNode
  /** Bytes, about, that are taken by what is kept of it, its text included. */
  bytes: number
  /** Tells whether an anonymous caller may send it too. */
  openToAnonymous: boolean
}

export type DocumentCheck = (
  schema: GraphQLSchema,
  source: string,
  caller: Caller,
) => CheckedDocument | { errors: readonly GraphQLError[] }

/** Bytes of one token in a parsed document with its places in the text: 295 to 378 measured, `bench/cache-sizes.mjs`. */
const bytesPerToken = 380

/** Returns what a parsed document and its text take in memory, about. */
export function bytesOf(source: string, document: DocumentNode): number {
  return 1000 + 2 * source.length + bytesPerToken * (document.tokenCount ?? source.length / 2)
}

/**
 * The check of a document that was not seen before: bounds first, then validation, which ends at the first few errors.
 * Whoever may not see the schema is not told what it has instead of what was asked for.
 * @param lone returns the mutations of which an operation has one at most
 */
export function documentCheck(
  limits: Limits,
  visibility: SchemaVisibility,
  lone: () => ReadonlySet<string> = () => new Set(),
): DocumentCheck {
  const bounds = boundsWithin(limits)
  const shownTo = (caller: Caller) =>
    visibility === 'public' || (visibility === 'signed-in' && caller === 'signedIn')
  return (schema, source, caller) => {
    let document: DocumentNode
    try {
      document = parseWithin(source, bounds[caller])
    } catch (error) {
      return { errors: [error as GraphQLError] }
    }
    const introspects = asksForSchema(document)
    if (introspects && !shownTo(caller)) return { errors: [hidden(visibility)] }
    const shown = shownTo(caller)
    const faults = validate(schema, document, validationRules, {
      maxErrors: bounds[caller].errors,
      hideSuggestions: !shown,
    })
    if (faults.length > 0) return { errors: shown || caller === 'signedIn' ? coded(faults) : [notShown()] }
    const several = loneMutationFault(document, lone())
    if (several) return { errors: [several] }
    const openToAnonymous =
      caller === 'anonymous' ||
      ((!introspects || shownTo('anonymous')) &&
        source.length <= bounds.anonymous.characters &&
        (document.tokenCount ?? Infinity) <= bounds.anonymous.tokens &&
        boundsFault(document, bounds.anonymous) === null)
    return { document, bytes: bytesOf(source, document), openToAnonymous }
  }
}

function asksForSchema(document: DocumentNode): boolean {
  let asks = false
  visit(document, {
    Field: ({ name }) => void (asks ||= name.value === '__schema' || name.value === '__type'),
    [Kind.ARGUMENT]: () => false,
  })
  return asks
}

function hidden(visibility: SchemaVisibility): GraphQLError {
  return visibility === 'off'
    ? forbidden('Introspection is switched off here')
    : unauthenticated('Sign in first: introspection is for signed-in callers')
}

function notShown(): GraphQLError {
  return invalid('The document does not fit the schema. Sign in to be told where.')
}

/** The faults with their codes. That there are too many of them says the last, which has no place: it takes their code. */
function coded(faults: readonly GraphQLError[]): GraphQLError[] {
  const areValues = faults.every((fault) => fault instanceof ValueFault || !fault.nodes?.length)
  return faults.map((fault) => {
    const isValue = fault instanceof ValueFault || (areValues && !fault.nodes?.length)
    const code = isValue ? 'BAD_USER_INPUT' : 'GRAPHQL_VALIDATION_FAILED'
    return new GraphQLError(fault.message, { nodes: fault.nodes, extensions: { code } })
  })
}
