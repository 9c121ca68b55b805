import {
  Kind,
  OperationTypeNode,
  parse,
  type DocumentNode,
  type GraphQLError,
  type SelectionSetNode,
} from 'graphql'
import { queryTooCostly } from '../../kernel/errors'
import { fragmentsOf } from '../execution/selections'

/**
 * The mutations that answer callers who are not signed in, as the supergraph declares them: signing in and the like. An
 * operation has one of them at most, whoever sends it, or one request would be as many attempts as it has names for.
 */
export function publicMutations(supergraph: string): ReadonlySet<string> {
  const fields = new Set<string>()
  for (const node of parse(supergraph, { noLocation: true }).definitions) {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION || node.name.value !== 'Mutation') continue
    for (const { name, directives } of node.fields ?? [])
      if (directives?.some((directive) => directive.name.value === 'public')) fields.add(name.value)
  }
  return fields
}

/** The refusal of a document with an operation that has several of these mutations, whatever their names and conditions; or null. */
export function loneMutationFault(document: DocumentNode, lone: ReadonlySet<string>): GraphQLError | null {
  const fragments = fragmentsOf(document)
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue
    if (definition.operation !== OperationTypeNode.MUTATION) continue
    const asked = new Map<string, string>()
    collect(definition.selectionSet)
    if (asked.size > 1)
      return queryTooCostly(
        `The operation has ${asked.size} of the mutations ${[...new Set(asked.values())].join(', ')}, at most 1: split it`,
      )

    function collect({ selections }: SelectionSetNode): void {
      for (const node of selections) {
        if (node.kind === Kind.FIELD) {
          if (lone.has(node.name.value)) asked.set(node.alias?.value ?? node.name.value, node.name.value)
          continue
        }
        const set =
          node.kind === Kind.INLINE_FRAGMENT
            ? node.selectionSet
            : fragments.get(node.name.value)?.selectionSet
        if (set) collect(set)
      }
    }
  }
  return null
}
