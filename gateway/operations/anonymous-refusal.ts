import {
  getDirectiveValues,
  getNamedType,
  GraphQLError,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  isNonNullType,
  Kind,
  parse,
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql'
import { unauthenticated } from '../../kernel/errors'
import { fragmentsOf } from '../execution/selections'

/** Which root fields answer signed-in callers only, by `Type.field`. */
export type ProtectedRoots = ReadonlySet<string>

const access = new Set(['authenticated', 'requiresScopes', 'policy'])

/**
 * The root fields that need a viewer, as the supergraph says: by a directive at the field, or at the type it returns.
 * This only saves work: it is the subgraphs that guard.
 */
export function protectedRoots(supergraph: string, schema: GraphQLSchema): ProtectedRoots {
  const fields = new Set<string>()
  const types = new Set<string>()
  const guarded = (directives: readonly ConstDirectiveNode[] | undefined) =>
    directives?.some(({ name }) => access.has(name.value)) ?? false
  const isOpen = new Set<string>()
  for (const node of parse(supergraph, { noLocation: true }).definitions) {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION) continue
    if (guarded(node.directives)) types.add(node.name.value)
    for (const field of node.fields ?? []) {
      const name = `${node.name.value}.${field.name.value}`
      if (guarded(field.directives)) fields.add(name)
      if (field.directives?.some((directive) => directive.name.value === 'public')) isOpen.add(name)
    }
  }
  const roots = new Set<string>()
  for (const root of [schema.getQueryType(), schema.getMutationType()]) {
    for (const field of Object.values(root?.getFields() ?? {})) {
      const name = `${root!.name}.${field.name}`
      if (fields.has(name) || (types.has(getNamedType(field.type).name) && !isOpen.has(name))) roots.add(name)
    }
  }
  return roots
}

/**
 * The answer to an operation that nobody signed in has sent, when all it asks for needs a viewer: null and one error for
 * each root field, as its execution would give, without a plan and without asking a subgraph.
 *
 * @returns null when it has to be executed
 */
export function anonymousRefusal(
  schema: GraphQLSchema,
  roots: ProtectedRoots,
  { document, operation }: { document: DocumentNode; operation: OperationDefinitionNode },
  variables: Readonly<Record<string, unknown>>,
): { data: Record<string, unknown> | null; errors: GraphQLError[] } | null {
  const root = schema.getRootType(operation.operation)
  const selected = root && rootFields(document, operation, variables)
  if (!root || !selected) return null
  const data: Record<string, unknown> = {}
  const errors: GraphQLError[] = []
  let isNull = false
  for (const [key, { name }] of selected) {
    if (name.value === '__typename') {
      data[key] = root.name
      continue
    }
    const field = root.getFields()[name.value]
    if (!field || !roots.has(`${root.name}.${name.value}`)) return null
    data[key] = null
    isNull ||= isNonNullType(field.type)
    const { message, extensions } = unauthenticated()
    errors.push(new GraphQLError(message, { path: [key], extensions }))
  }
  return errors.length > 0 ? { data: isNull ? null : data, errors } : null
}

/** The root fields that are not skipped; null when a condition cannot be decided here. */
function rootFields(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): Map<string, FieldNode> | null {
  const fragments = fragmentsOf(document)
  const fields = new Map<string, FieldNode>()
  const values = { ...variables }
  for (const { variable, defaultValue } of operation.variableDefinitions ?? [])
    if (defaultValue?.kind === Kind.BOOLEAN) values[variable.name.value] ??= defaultValue.value
  const included = (node: SelectionNode) =>
    getDirectiveValues(GraphQLSkipDirective, node, values)?.['if'] !== true &&
    getDirectiveValues(GraphQLIncludeDirective, node, values)?.['if'] !== false
  function collect({ selections }: SelectionSetNode): void {
    for (const node of selections) {
      if (!included(node)) continue
      if (node.kind === Kind.FIELD) {
        const key = node.alias?.value ?? node.name.value
        if (!fields.has(key)) fields.set(key, node)
      } else {
        const set =
          node.kind === Kind.INLINE_FRAGMENT
            ? node.selectionSet
            : fragments.get(node.name.value)?.selectionSet
        if (set) collect(set)
      }
    }
  }
  try {
    collect(operation.selectionSet)
  } catch {
    // A condition without a value, or with one that is no Boolean: an error that execution words.
    return null
  }
  return fields
}
