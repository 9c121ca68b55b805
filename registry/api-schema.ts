import {
  buildASTSchema,
  Kind,
  type ConstDirectiveNode,
  type DefinitionNode,
  type DocumentNode,
  type GraphQLSchema,
  type OperationTypeNode,
  type SchemaDefinitionNode,
  type TypeDefinitionNode,
  type TypeExtensionNode,
} from 'graphql'
import {
  defaultRoots,
  namedType,
  visibleTo,
  type ArgumentModel,
  type FieldModel,
  type SchemaModel,
  type TypeModel,
} from './schema-model'

/** Directives that clients see through introspection. */
const shownDirectives = new Set(['deprecated', 'specifiedBy', 'oneOf'])

/** Returns what clients see of a schema, as a document without anything of federation's. */
export function apiDocument(schema: SchemaModel): DocumentNode {
  const shown = visibleTo(schema)
  const definitions: DefinitionNode[] = rootsDefinition(shown)
  for (const name of [...shown.directives.keys()].sort()) {
    const node = shown.directives.get(name)?.node
    if (node) definitions.push(node)
  }
  for (const name of [...shown.types.keys()].sort()) {
    const type = shown.types.get(name)
    if (type) definitions.push(definitionOf(type))
  }
  return { kind: Kind.DOCUMENT, definitions }
}

/** Needed only where a name that says "root" is none, or the reverse. */
function rootsDefinition({ roots, types }: SchemaModel): DefinitionNode[] {
  const named = Object.entries(defaultRoots).filter(([, name]) => types.get(name)?.kind === 'object')
  const own = Object.entries(roots).filter(([, name]) => types.has(name))
  const isUsual =
    own.length === named.length && own.every(([operation, name]) => defaultRoots[operation as Root] === name)
  if (isUsual || own.length === 0) return []
  const operationTypes = own.map(([operation, name]) => ({
    kind: Kind.OPERATION_TYPE_DEFINITION,
    operation: operation as OperationTypeNode,
    type: namedNode(name),
  }))
  return [{ kind: Kind.SCHEMA_DEFINITION, operationTypes } as SchemaDefinitionNode]
}

type Root = keyof typeof defaultRoots

/** The schema clients' operations are validated against. @param schema a valid one, as composition gives it */
export function apiSchema(schema: SchemaModel): GraphQLSchema {
  return buildASTSchema(apiDocument(schema), { assumeValid: true, assumeValidSDL: true })
}

function definitionOf(type: TypeModel): TypeDefinitionNode {
  const first = type.nodes[0] as TypeDefinitionNode | TypeExtensionNode
  const name = first.name
  const description =
    type.description === undefined
      ? undefined
      : ({ kind: Kind.STRING, value: type.description, block: true } as const)
  const directives = shownOf(type.nodes.flatMap((node) => node.directives ?? []))
  const interfaces = [...type.interfaces].map(namedNode)
  const is = { name, description, directives }
  switch (type.kind) {
    case 'scalar':
      return { ...is, kind: Kind.SCALAR_TYPE_DEFINITION }
    case 'object':
      return {
        ...is,
        kind: Kind.OBJECT_TYPE_DEFINITION,
        interfaces,
        fields: [...type.fields.values()].map(fieldNode),
      }
    case 'interface':
      return {
        ...is,
        kind: Kind.INTERFACE_TYPE_DEFINITION,
        interfaces,
        fields: [...type.fields.values()].map(fieldNode),
      }
    case 'union':
      return { ...is, kind: Kind.UNION_TYPE_DEFINITION, types: [...type.members].map(namedNode) }
    case 'enum':
      return {
        ...is,
        kind: Kind.ENUM_TYPE_DEFINITION,
        values: [...type.values.values()].map(({ node }) => ({
          ...node,
          directives: shownOf(node.directives),
        })),
      }
    case 'input':
      return {
        ...is,
        kind: Kind.INPUT_OBJECT_TYPE_DEFINITION,
        fields: [...type.inputFields.values()].map(argumentNode),
      }
  }
}

function fieldNode(field: FieldModel) {
  return {
    ...field.node,
    arguments: [...field.args.values()].map(argumentNode),
    directives: shownOf(field.node.directives),
  }
}

function argumentNode({ node }: ArgumentModel) {
  return { ...node, directives: shownOf(node.directives) }
}

function namedNode(name: string) {
  return { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: namedType(name) } } as const
}

function shownOf(directives: readonly ConstDirectiveNode[] | undefined): ConstDirectiveNode[] {
  return (directives ?? []).filter(({ name }) => shownDirectives.has(name.value))
}
