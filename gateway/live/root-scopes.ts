import { Kind, parse, type ConstDirectiveNode, type TypeNode, type ValueNode } from 'graphql'

/** Tells whether scopes suffice for a field of `Query`, as far as they decide. */
export type RootScopes = (field: string, scopes: ReadonlySet<string>) => boolean

/**
 * Reads from the supergraph the scopes that fields of `Query` need: at the field, and at the type that it shows. This only
 * saves questions whose answer is known: it is the subgraphs that guard.
 */
export function rootScopes(supergraph: string): RootScopes {
  const ofTypes = new Map<string, string[][][]>()
  const ofFields = new Map<string, { type: string; needs: string[][][] }>()
  for (const node of parse(supergraph, { noLocation: true }).definitions) {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION) continue
    ofTypes.set(node.name.value, scopesIn(node.directives))
    if (node.name.value !== 'Query') continue
    for (const { name, type, directives } of node.fields ?? [])
      ofFields.set(name.value, { type: namedType(type), needs: scopesIn(directives) })
  }
  return (field, scopes) => {
    const { type, needs } = ofFields.get(field) ?? { type: '', needs: [] }
    return [...needs, ...(ofTypes.get(type) ?? [])].every((anyOf) =>
      anyOf.some((group) => group.every((scope) => scopes.has(scope))),
    )
  }
}

/** The scopes of each `@requiresScopes`: one of the groups, and all of a group. */
function scopesIn(directives: readonly ConstDirectiveNode[] = []): string[][][] {
  return directives
    .filter(({ name }) => name.value === 'requiresScopes')
    .flatMap(({ arguments: given = [] }) => given.map(({ value }) => itemsOf(value).map(textsOf)))
}

const itemsOf = (value: ValueNode): readonly ValueNode[] => (value.kind === Kind.LIST ? value.values : [])
const textsOf = (value: ValueNode): string[] =>
  itemsOf(value).flatMap((one) => (one.kind === Kind.STRING ? [one.value] : []))
const namedType = (type: TypeNode): string =>
  type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type)
