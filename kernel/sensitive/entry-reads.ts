import { Kind, type DocumentNode, type SelectionNode } from 'graphql'
import type { SubgraphContext } from '../context'

/** The type by whose name the trail tells what an operator did by an entry. */
const entryType = 'OperatorEntry'

/**
 * Notes what an operator who is in a tenant asked this subgraph for, whatever its class: an answer without its entry in the
 * tenant's trail is refused.
 */
export function noteEntry(context: SubgraphContext, document: DocumentNode): void {
  const { operator, viewer, reads } = context
  if (!operator?.entryId || !viewer) return
  const known = reads.get(entryType)
  const noted = known ?? {
    type: entryType,
    fields: new Set<string>(),
    ids: new Set([operator.entryId]),
    own: new Set<string>(),
    summary: null,
    isNew: true,
    isRequired: true,
  }
  const before = noted.fields.size
  for (const field of askedFields(document)) noted.fields.add(field)
  noted.isNew ||= noted.fields.size > before
  reads.set(entryType, noted)
}

/** The root fields of a document, and of entities of other subgraphs the fields as `Type.field`. */
function askedFields(document: DocumentNode): string[] {
  const fragments = new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION
        ? [[node.name.value, node.selectionSet.selections] as const]
        : [],
    ),
  )
  const fieldsOf = (selections: readonly SelectionNode[], type: string): string[] =>
    selections.flatMap((node) => {
      if (node.kind === Kind.FIELD) {
        const { name, selectionSet } = node
        return name.value === '_entities'
          ? fieldsOf(selectionSet?.selections ?? [], '')
          : [`${type}${name.value}`]
      }
      if (node.kind === Kind.FRAGMENT_SPREAD) return fieldsOf(fragments.get(node.name.value) ?? [], type)
      const condition = node.typeCondition?.name.value
      const within = condition && !/^(Query|Mutation)$/.test(condition) ? `${condition}.` : type
      return fieldsOf(node.selectionSet.selections, within)
    })
  return document.definitions.flatMap((node) =>
    node.kind === Kind.OPERATION_DEFINITION ? fieldsOf(node.selectionSet.selections, '') : [],
  )
}
