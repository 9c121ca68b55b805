import {
  getNamedType,
  isAbstractType,
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql'
import {
  collectFields,
  isComposite,
  isWithin,
  responseKey,
  typeOfField,
  type Fragments,
  type Selections,
} from './selections'
import { signatureOf, type OwnFields } from './alias-conflicts'

/** Selections, and the field that requires them; null for the client's own. */
interface Part extends Selections {
  by: string | null
}

/** Deeper than any operation that the limits let through, with what it requires. */
const maxDepth = 64

/**
 * Whether two fields of an operation require one field of one object with different arguments. The planner fetches it
 * once, and one of the two would be given the value that was meant for the other.
 *
 * Below fields of several types it does not tell these apart: it may see a contest where there is none, never the other
 * way round.
 *
 * @returns what to tell the client; null when nothing is contested
 */
export function requiresConflicts(
  operation: OperationDefinitionNode,
  fragments: Fragments,
  supergraph: GraphQLSchema,
  own: OwnFields,
): string | null {
  if (![...own.signatures.values()].some(({ size }) => size > 1)) return null

  function look(parts: readonly Part[], depth: number): string | null {
    const fields: { node: FieldNode; parent: GraphQLCompositeType; by: string | null }[] = []
    const todo = [...parts]
    const seen = new Set<Part['set']>()
    for (let part = todo.pop(); part; part = todo.pop()) {
      if (part.by && seen.has(part.set)) continue
      seen.add(part.set)
      const { by } = part
      const selected = collectFields([part], supergraph, fragments, () => true)
      for (const { node, parent } of [...selected.values()].flat()) {
        fields.push({ node, parent, by })
        for (const type of related(supergraph, parent)) {
          const name = `${type.name}.${node.name.value}`
          for (const set of own.requires.get(name) ?? []) todo.push({ set, parent: type, by: name })
        }
      }
    }
    const groups = new Map<string, typeof fields>()
    for (const field of fields) {
      const key = responseKey(field.node)
      groups.set(key, [...(groups.get(key) ?? []), field])
    }
    for (const group of groups.values()) {
      const required = group.filter(({ by }) => by !== null)
      for (const [index, one] of required.entries()) {
        const other = required
          .slice(index + 1)
          .find(
            ({ node, parent }) =>
              signatureOf(node) !== signatureOf(one.node) && overlap(supergraph, parent, one.parent),
          )
        if (other) {
          return `${one.by} needs ${signatureOf(one.node)} and ${other.by} needs ${signatureOf(other.node)} of the same object: ask for them in separate operations`
        }
      }
      const below = group.flatMap(({ node, parent, by }) => {
        const type = getNamedType(typeOfField(parent, node.name.value))
        return node.selectionSet && isComposite(type) ? [{ set: node.selectionSet, parent: type, by }] : []
      })
      const found = below.length > 0 && depth < maxDepth ? look(below, depth + 1) : null
      if (found) return found
    }
    return null
  }
  // With the supergraph's own types all through: the same type of another schema is another one.
  const root = supergraph.getRootType(operation.operation)
  return root ? look([{ set: operation.selectionSet, parent: root, by: null }], 0) : null
}

/** The type, the types it stands for and the interfaces it has. */
function related(schema: GraphQLSchema, type: GraphQLCompositeType): GraphQLCompositeType[] {
  const below = isAbstractType(type) ? schema.getPossibleTypes(type) : []
  const above = 'getInterfaces' in type ? type.getInterfaces() : []
  return [...new Set([type, ...below, ...above, ...below.flatMap((object) => object.getInterfaces())])]
}

function overlap(schema: GraphQLSchema, one: GraphQLCompositeType, other: GraphQLCompositeType): boolean {
  if (isWithin(schema, one, other) || isWithin(schema, other, one)) return true
  if (!isAbstractType(one)) return false
  return schema.getPossibleTypes(one).some((type) => isWithin(schema, type, other))
}
