import { Kind, parse, print, visit, type ASTNode, type ConstDirectiveNode, type DocumentNode } from 'graphql'

/** Says how a router learns what to hide: https://specs.apollo.dev/inaccessible/v0.2 */
const link = 'extend schema @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY)'
const definition =
  'directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION'
const inaccessible: ConstDirectiveNode = {
  kind: Kind.DIRECTIVE,
  name: { kind: Kind.NAME, value: 'inaccessible' },
}

/**
 * The supergraph in which what a contract hides is `@inaccessible`: any Federation 2 router serves the contract
 * from it, over the same subgraphs.
 */
export function contractSupergraph(supergraph: string, hidden: ReadonlySet<string>): string {
  const hide = <T extends ASTNode & { directives?: readonly ConstDirectiveNode[] }>(
    node: T,
    coordinate: string,
  ): T =>
    !hidden.has(coordinate) || node.directives?.some(({ name }) => name.value === 'inaccessible')
      ? node
      : { ...node, directives: [...(node.directives ?? []), inaccessible] }
  const type = <T extends ASTNode & { name: { value: string }; directives?: readonly ConstDirectiveNode[] }>(
    node: T,
  ): T => {
    const members =
      'fields' in node && Array.isArray(node.fields)
        ? { fields: node.fields.map((field) => member(node.name.value, field)) }
        : {}
    const values =
      'values' in node && Array.isArray(node.values)
        ? { values: node.values.map((value) => member(node.name.value, value)) }
        : {}
    return hide({ ...node, ...members, ...values }, node.name.value)
  }
  const member = <
    T extends ASTNode & { name: { value: string }; directives?: readonly ConstDirectiveNode[] },
  >(
    owner: string,
    node: T,
  ): T => {
    const coordinate = `${owner}.${node.name.value}`
    const args =
      'arguments' in node && Array.isArray(node.arguments)
        ? {
            arguments: node.arguments.map((argument) =>
              hide(argument, `${coordinate}(${String(argument.name.value)}:)`),
            ),
          }
        : {}
    return hide({ ...node, ...args }, coordinate)
  }
  const document: DocumentNode = visit(parse(supergraph, { noLocation: true }), {
    ObjectTypeDefinition: type,
    InterfaceTypeDefinition: type,
    InputObjectTypeDefinition: type,
    EnumTypeDefinition: type,
    UnionTypeDefinition: type,
    ScalarTypeDefinition: type,
  })
  const known = document.definitions.some(
    (node) => node.kind === Kind.DIRECTIVE_DEFINITION && node.name.value === 'inaccessible',
  )
  return `${print(known ? document : linked(document))}\n`
}

/** With the feature linked in the schema definition itself: routers do not read schema extensions. */
function linked(document: DocumentNode): DocumentNode {
  const [extension, directive] = parse(`${link}\n${definition}`, { noLocation: true }).definitions
  return {
    ...document,
    definitions: [
      ...document.definitions.map((node) =>
        node.kind === Kind.SCHEMA_DEFINITION && extension && 'directives' in extension
          ? {
              ...node,
              directives: [
                ...(node.directives ?? []),
                ...((extension.directives ?? []) as ConstDirectiveNode[]),
              ],
            }
          : node,
      ),
      ...(directive ? [directive] : []),
    ],
  }
}
