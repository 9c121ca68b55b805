import {
  Kind,
  parse,
  print,
  visit,
  type ArgumentNode,
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type FieldNode,
  type InterfaceTypeDefinitionNode,
  type ObjectTypeDefinitionNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'
import { contractSupergraph } from '../../registry/composition/contract-supergraph'

/**
 * A field as `@requires` asks for it, under a name of its own. The planner knows a field by its name alone, so where
 * one is required with different arguments it plans with one name for each.
 */
export interface RequiredField {
  name: string
  arguments: readonly ArgumentNode[]
}

/** By the names that only the planner knows. */
export type RequiredFields = ReadonlyMap<string, RequiredField>

type FieldsType = ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode

/** Says how the description of a field that only the planner knows begins. */
const marker = 'Required as '

/**
 * The supergraph for the planner: fields that are required with different arguments stand once more for each of
 * them, hidden from clients. Most supergraphs have none and stay as they are.
 */
export function withRequiredFields(supergraph: string): string {
  const document = parse(supergraph, { noLocation: true })
  const types = new Map<string, FieldsType>()
  for (const node of document.definitions) if (isFieldsType(node)) types.set(node.name.value, node)

  const contested = contestedNames([...types.values()])
  if (contested.size === 0) return supergraph

  const names = unusedNames(document)
  const added = new Map<string, Map<string, FieldDefinitionNode>>()
  const add = (typeName: string, node: FieldNode, name: string): void => {
    const type = types.get(typeName)
    const field = type?.fields?.find((one) => one.name.value === node.name.value)
    if (type && field) {
      const known = added.get(typeName) ?? new Map<string, FieldDefinitionNode>()
      added.set(typeName, known.set(name, hiddenField(field, name, signatureOf(node))))
    }
    if (type?.kind !== Kind.INTERFACE_TYPE_DEFINITION) return
    for (const other of types.values())
      if (other.interfaces?.some((one) => one.name.value === typeName)) add(other.name.value, node, name)
  }
  /** The set with the names that only the planner knows. */
  const renamed = (set: SelectionSetNode, typeName: string): SelectionSetNode => ({
    ...set,
    selections: set.selections.map((node) => {
      if (node.kind === Kind.FRAGMENT_SPREAD) return node
      if (node.kind === Kind.INLINE_FRAGMENT)
        return {
          ...node,
          selectionSet: renamed(node.selectionSet, node.typeCondition?.name.value ?? typeName),
        }
      const field = types.get(typeName)?.fields?.find(({ name }) => name.value === node.name.value)
      const below = field && {
        ...node,
        selectionSet: node.selectionSet && renamed(node.selectionSet, namedType(field)),
      }
      if (!below || !contested.has(node.name.value) || !node.arguments?.length) return below ?? node
      const name = names(node.name.value, signatureOf(node))
      add(typeName, node, name)
      return { ...below, name: { ...node.name, value: name }, arguments: [] }
    }),
  })
  const withSets = (type: FieldsType, field: FieldDefinitionNode): FieldDefinitionNode => ({
    ...field,
    directives: field.directives?.map((directive) => ({
      ...directive,
      arguments: directive.arguments?.map((argument) => {
        if (directive.name.value !== 'join__field' || argument.name.value !== 'requires') return argument
        if (argument.value.kind !== Kind.STRING) return argument
        const [set] = setsIn(argument.value.value)
        const text = set && print(renamed(set, type.name.value)).replace(/^\{|\}$/g, '')
        return { ...argument, value: { ...argument.value, value: text ?? argument.value.value } }
      }),
    })),
  })
  // Before anything is added: rewriting a requirement says which fields are.
  const rewritten = new Map(
    [...types].map(([name, type]) => [name, (type.fields ?? []).map((field) => withSets(type, field))]),
  )
  for (const [name, fields] of added) {
    const type = types.get(name)!
    rewritten.get(name)?.push(...[...fields.values()].map((field) => withSets(type, field)))
  }
  const used = usedNames(
    [...types.values()].map((type) => ({ ...type, fields: rewritten.get(type.name.value) })),
  )
  const isOfInterface = (type: FieldsType, name: string) =>
    (type.interfaces ?? []).some((one) =>
      rewritten.get(one.name.value)?.some((field) => field.name.value === name),
    )
  const definitions = document.definitions.map((node) => {
    if (!isFieldsType(node)) return node
    const fields = rewritten.get(node.name.value)?.map((field) => {
      const name = field.name.value
      const isKept = !contested.has(name) && !added.get(node.name.value)?.has(name)
      return isKept || isOfInterface(node, name) ? field : withoutUnused(field, used)
    })
    return { ...node, fields }
  })
  const hidden = [...added].flatMap(([type, fields]) => [...fields.keys()].map((name) => `${type}.${name}`))
  return contractSupergraph(print({ ...document, definitions }), new Set(hidden))
}

/** The names of fields that are required with different arguments. */
function contestedNames(types: readonly FieldsType[]): ReadonlySet<string> {
  const signatures = new Map<string, Set<string>>()
  for (const type of types)
    for (const field of type.fields ?? [])
      for (const set of requiredSets(field))
        visit(set, {
          Field: (node) => {
            const known = signatures.get(node.name.value) ?? new Set()
            signatures.set(node.name.value, known.add(signatureOf(node)))
          },
        })
  return new Set([...signatures].filter(([, { size }]) => size > 1).map(([name]) => name))
}

/** The fields that {@link withRequiredFields} added. */
export function requiredFieldsOf(supergraph: DocumentNode): RequiredFields {
  const fields = new Map<string, RequiredField>()
  for (const type of supergraph.definitions) {
    if (!isFieldsType(type)) continue
    for (const { name, description, directives } of type.fields ?? []) {
      if (!description?.value.startsWith(marker)) continue
      if (!directives?.some((directive) => directive.name.value === 'inaccessible')) continue
      const [set] = setsIn(description.value.slice(marker.length))
      const [node] = set?.selections ?? []
      if (node?.kind !== Kind.FIELD) continue
      fields.set(name.value, { name: node.name.value, arguments: node.arguments ?? [] })
    }
  }
  return fields
}

/** The selection sets that a field requires in its subgraphs. */
function requiredSets(field: FieldDefinitionNode): SelectionSetNode[] {
  return textsOf(field, 'join__field', 'requires').flatMap(setsIn)
}

/** The texts that a directive has for an argument, each time it is used. */
export function textsOf(node: Pick<FieldNode, 'directives'>, directive: string, argument: string): string[] {
  return (node.directives ?? [])
    .filter(({ name }) => name.value === directive)
    .flatMap((used) => used.arguments ?? [])
    .flatMap(({ name, value }) =>
      name.value === argument && value.kind === Kind.STRING ? [value.value] : [],
    )
}

/** The selection set that the text of a key or a requirement means; none when it is no such text. */
export function setsIn(text: string): SelectionSetNode[] {
  const [definition] = parse(`{ ${text} }`, { noLocation: true }).definitions
  return definition?.kind === Kind.OPERATION_DEFINITION
    ? [(definition as OperationDefinitionNode).selectionSet]
    : []
}

/** A field and its arguments: fields with the same signature have the same value on the same object. */
export function signatureOf(node: FieldNode): string {
  const given = (node.arguments ?? []).map((argument) => print(argument)).sort()
  return given.length > 0 ? `${node.name.value}(${given.join(', ')})` : node.name.value
}

function isFieldsType(node: DocumentNode['definitions'][number]): node is FieldsType {
  return node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_DEFINITION
}

function namedType({ type }: FieldDefinitionNode): string {
  let named = type
  while (named.kind !== Kind.NAMED_TYPE) named = named.type
  return named.name.value
}

/** Names that nothing in the document begins with, the same for the same signature. */
function unusedNames(document: DocumentNode): (name: string, signature: string) => string {
  const used: string[] = []
  visit(document, { Name: ({ value }) => void used.push(value) })
  let prefix = 'required'
  while (used.some((name) => new RegExp(`^${prefix}\\d`).test(name))) prefix += '_'
  const known = new Map<string, string>()
  return (name, signature) => {
    const unused = known.get(signature) ?? `${prefix}${known.size}_${name}`
    known.set(signature, unused)
    return unused
  }
}

function hiddenField(field: FieldDefinitionNode, name: string, signature: string): FieldDefinitionNode {
  const ofJoin = ({ name: directive }: ConstDirectiveNode) => directive.value === 'join__field'
  return {
    ...field,
    description: { kind: Kind.STRING, value: `${marker}${signature}` },
    name: { ...field.name, value: name },
    arguments: [],
    directives: field.directives?.filter(ofJoin),
  }
}

/** The fields that keys, requirements and what is provided name, as `graph field`. */
function usedNames(types: readonly FieldsType[]): ReadonlySet<string> {
  const used = new Set<string>()
  for (const type of types)
    for (const node of [type, ...(type.fields ?? [])])
      for (const directive of node.directives ?? [])
        for (const argument of ['key', 'requires', 'provides'])
          for (const text of textsOf({ directives: [directive] }, directive.name.value, argument))
            for (const set of setsIn(text))
              visit(set, { Field: ({ name }) => void used.add(`${graphOf(directive)} ${name.value}`) })
  return used
}

/** The field without the subgraphs that have it only for a requirement which names it no longer. */
function withoutUnused(field: FieldDefinitionNode, used: ReadonlySet<string>): FieldDefinitionNode {
  const isUnused = (directive: ConstDirectiveNode) =>
    directive.arguments?.some(
      ({ name, value }) => name.value === 'external' && 'value' in value && value.value === true,
    ) && !used.has(`${graphOf(directive)} ${field.name.value}`)
  return { ...field, directives: field.directives?.filter((directive) => !isUnused(directive)) }
}

function graphOf({ arguments: given }: ConstDirectiveNode): string {
  const graph = given?.find(({ name }) => name.value === 'graph')?.value
  return graph?.kind === Kind.ENUM ? graph.value : ''
}
