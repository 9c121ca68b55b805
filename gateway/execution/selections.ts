import {
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  visit,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql'

/** A field that is selected, with the type it is selected on. */
export interface Selected {
  node: FieldNode
  parent: GraphQLCompositeType
}

/** A selection set with the type it is on. */
export interface Selections {
  set: SelectionSetNode
  parent: GraphQLCompositeType
}

export type Fragments = ReadonlyMap<string, FragmentDefinitionNode>

export function fragmentsOf(document: DocumentNode): Fragments {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  }
  return fragments
}

/**
 * The fields of selection sets by response key, in the order of the specification's CollectFields.
 *
 * @param applies whether a fragment with this type condition counts
 */
export function collectFields(
  selections: readonly Selections[],
  schema: GraphQLSchema,
  fragments: Fragments,
  applies: (condition: GraphQLCompositeType) => boolean,
): Map<string, Selected[]> {
  const fields = new Map<string, Selected[]>()
  function collect({ set, parent }: Selections): void {
    for (const node of set.selections) {
      if (node.kind === Kind.FIELD) {
        const key = responseKey(node)
        const known = fields.get(key)
        if (known) known.push({ node, parent })
        else fields.set(key, [{ node, parent }])
        continue
      }
      const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value)
      if (!fragment) continue
      const condition = fragment.typeCondition ? schema.getType(fragment.typeCondition.name.value) : parent
      if (!isComposite(condition) || !applies(condition)) continue
      collect({ set: fragment.selectionSet, parent: condition })
    }
  }
  selections.forEach(collect)
  return fields
}

export function responseKey(node: FieldNode): string {
  return node.alias?.value ?? node.name.value
}

export function isComposite(type: unknown): type is GraphQLCompositeType {
  return isObjectType(type) || isAbstractType(type)
}

/** Tells whether every object of `type` is of the type `of`. */
export function isWithin(
  schema: GraphQLSchema,
  type: GraphQLCompositeType,
  of: GraphQLCompositeType,
): boolean {
  if (type === of) return true
  return isAbstractType(of) && (isObjectType(type) || isInterfaceType(type)) && schema.isSubType(of, type)
}

/** A field's type as a parent type declares it; undefined when it has no such field. */
export function typeOfField(parent: GraphQLCompositeType, name: string): GraphQLOutputType | undefined {
  return 'getFields' in parent ? parent.getFields()[name]?.type : undefined
}

/** The names of the variables in a document's `@skip` and `@include`. */
export function conditionsOf(document: DocumentNode): string[] {
  const names = new Set<string>()
  visit(document, {
    Directive({ name, arguments: given }) {
      const value = given?.[0]?.value
      if (isCondition(name.value) && value?.kind === Kind.VARIABLE) names.add(value.name.value)
    },
  })
  return [...names]
}

/**
 * The document with its conditions decided: what they leave out is gone, and so are they. A selection set may be empty
 * then.
 */
export function resolveConditions(
  document: DocumentNode,
  values: ReadonlyMap<string, boolean>,
): DocumentNode {
  const included = (node: SelectionNode) =>
    (node.directives ?? []).every(({ name, arguments: given }) => {
      if (!isCondition(name.value)) return true
      const value = given?.[0]?.value
      const holds =
        value?.kind === Kind.VARIABLE
          ? values.get(value.name.value)
          : value?.kind === Kind.BOOLEAN && value.value
      return holds === (name.value === 'include')
    })
  return visit(document, {
    SelectionSet: (set) =>
      set.selections.every(included) ? undefined : { ...set, selections: set.selections.filter(included) },
    Directive: ({ name }) => (isCondition(name.value) ? null : undefined),
  })
}

function isCondition(directive: string): boolean {
  return directive === 'skip' || directive === 'include'
}
