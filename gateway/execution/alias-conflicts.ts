import { Kind, visit, type DocumentNode, type FieldNode, type SelectionSetNode } from 'graphql'
import { requiredFieldsOf, setsIn, signatureOf, textsOf, type RequiredFields } from './required-fields'
import { responseKey } from './selections'

/**
 * The fields that a gateway fetches on its own account, as keys and for `@requires`. They are fetched under their own
 * names, and the planner takes two fields of one response key for the same field: a client's field with that key but
 * other arguments would get the wrong value, or give it to the field that requires it.
 */
export interface OwnFields {
  /** By response key, each field and its arguments. */
  signatures: ReadonlyMap<string, ReadonlySet<string>>
  /** Holds what a field requires in a subgraph, by `subgraph Type.field`. */
  requires: ReadonlyMap<string, readonly SelectionSetNode[]>
  /** Fields that only the planner knows. */
  required: RequiredFields
}

/** An operation that shares no response key with what the gateway fetches on its own account. */
export interface Separated {
  /** For the planner: without empty selection sets, which are no GraphQL. */
  document: DocumentNode
  /** The key under which a client's field is fetched. */
  fetchedAs: (node: FieldNode) => string
  /** Response keys by the keys that replace them. */
  keys: ReadonlyMap<string, string>
}

/** Reads what a supergraph's keys and `@requires` are made of. */
export function ownFieldsOf(supergraph: DocumentNode): OwnFields {
  const signatures = new Map([['__typename', new Set(['__typename'])]])
  const requires = new Map<string, SelectionSetNode[]>()
  const own = (text: string): SelectionSetNode[] => {
    const sets = setsIn(text)
    for (const set of sets)
      visit(set, {
        Field(node) {
          const known = signatures.get(responseKey(node)) ?? new Set()
          signatures.set(responseKey(node), known.add(signatureOf(node)))
        },
      })
    return sets
  }
  const subgraphs = new Map<string, string>()
  for (const type of supergraph.definitions) {
    if (type.kind === Kind.ENUM_TYPE_DEFINITION && type.name.value === 'join__Graph')
      for (const value of type.values ?? [])
        subgraphs.set(value.name.value, textsOf(value, 'join__graph', 'name')[0] ?? value.name.value)
  }
  for (const type of supergraph.definitions) {
    if (type.kind !== Kind.OBJECT_TYPE_DEFINITION && type.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue
    textsOf(type, 'join__type', 'key').forEach(own)
    for (const field of type.fields ?? []) {
      for (const directive of field.directives ?? []) {
        const sets = textsOf({ directives: [directive] }, 'join__field', 'requires').flatMap(own)
        const graph = directive.arguments?.find(({ name }) => name.value === 'graph')?.value
        const subgraph = graph?.kind === Kind.ENUM ? subgraphs.get(graph.value) : undefined
        if (sets.length > 0) requires.set(`${subgraph} ${type.name.value}.${field.name.value}`, sets)
      }
    }
  }
  return { signatures, requires, required: requiredFieldsOf(supergraph) }
}

const typename: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } }

/**
 * Gives another key to each of a client's fields whose key the gateway uses for something else, or that every
 * JavaScript object has (`constructor`). Fields that the client merges have the same key and the same signature, so they
 * are still merged.
 *
 * @param prefix what no name in the document begins with
 */
export function separateAliases(document: DocumentNode, own: OwnFields, prefix: string): Separated {
  const known = new Map<string, string>()
  const fetched = new Map<FieldNode, string>()
  const keys = new Map<string, string>()
  const separated = visit(document, {
    SelectionSet: (set) => (set.selections.length > 0 ? undefined : { ...set, selections: [typename] }),
    Field(node) {
      const key = responseKey(node)
      const others = own.signatures.get(key)
      if (!others && !(key in {})) return undefined
      const signature = signatureOf(node)
      if (others?.size === 1 && others.has(signature)) return undefined
      const id = `${key} ${signature}`
      const alias = known.get(id) ?? `${prefix}${known.size}_${key}`
      known.set(id, alias)
      fetched.set(node, alias)
      keys.set(alias, key)
      return { ...node, alias: { kind: Kind.NAME, value: alias } as const }
    },
  })
  return { document: separated, fetchedAs: (node) => fetched.get(node) ?? responseKey(node), keys }
}

/** Returns what no name in a document begins with, for the names that the gateway gives. */
export function unusedPrefix(document: DocumentNode): string {
  const names = new Set<string>()
  visit(document, { Name: ({ value }) => void names.add(value) })
  let prefix = 'asked'
  while ([...names].some((name) => name.startsWith(prefix))) prefix += '_'
  return prefix
}
