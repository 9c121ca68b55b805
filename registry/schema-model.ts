import {
  Kind,
  print,
  valueFromASTUntyped,
  type ASTNode,
  type ConstDirectiveNode,
  type ConstValueNode,
  type DirectiveDefinitionNode,
  type DocumentNode,
  type EnumValueDefinitionNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
  type NameNode,
  type StringValueNode,
  type TypeDefinitionNode,
  type TypeExtensionNode,
} from 'graphql'
import { federationNames, type FederationNames } from './federation-names'

/** A directive where it is applied. Its name is the specification's, however the schema imported it. */
export interface AppliedDirective {
  name: string
  /** Plain JSON values; enum values are their names. */
  args: Readonly<Record<string, unknown>>
}

export interface ArgumentModel {
  name: string
  /** As written: `[ID!]!`. */
  type: string
  /** As written; undefined when there is none. */
  defaultValue: string | undefined
  description: string | undefined
  directives: readonly AppliedDirective[]
  node: InputValueDefinitionNode
}

export interface FieldModel {
  name: string
  type: string
  args: ReadonlyMap<string, ArgumentModel>
  description: string | undefined
  directives: readonly AppliedDirective[]
  node: FieldDefinitionNode
}

export interface ValueModel {
  name: string
  description: string | undefined
  directives: readonly AppliedDirective[]
  node: EnumValueDefinitionNode
}

export type TypeKind = 'scalar' | 'object' | 'interface' | 'union' | 'enum' | 'input'

/** A type with everything its definition and extensions say. Maps that do not belong to its kind are empty. */
export interface TypeModel {
  name: string
  kind: TypeKind
  description: string | undefined
  directives: readonly AppliedDirective[]
  interfaces: ReadonlySet<string>
  fields: ReadonlyMap<string, FieldModel>
  inputFields: ReadonlyMap<string, ArgumentModel>
  values: ReadonlyMap<string, ValueModel>
  members: ReadonlySet<string>
  /** Definition and extensions, in the order they were read. */
  nodes: readonly (TypeDefinitionNode | TypeExtensionNode)[]
}

export interface DirectiveModel {
  name: string
  args: ReadonlyMap<string, ArgumentModel>
  locations: ReadonlySet<string>
  repeatable: boolean
  node: DirectiveDefinitionNode
}

/**
 * A schema as its text says it, without building types: it reads subgraphs (which lack the definitions of what they
 * import), supergraphs and plain schemas alike, and keeps applied directives, which executable schemas do not.
 */
export interface SchemaModel {
  /** Root type names by operation. */
  roots: Readonly<Partial<Record<'query' | 'mutation' | 'subscription', string>>>
  types: ReadonlyMap<string, TypeModel>
  /** Directives that operations may use; those that only schemas use are left out. */
  directives: ReadonlyMap<string, DirectiveModel>
  /** Directives of one's own that schemas use, as they were defined. */
  schemaDirectives: ReadonlyMap<string, DirectiveModel>
  /** The subgraphs of a supergraph by the name of their enum value: `HR` → name and URL. Empty elsewhere. */
  subgraphs: ReadonlyMap<string, { name: string; url: string }>
  /**
   * The text that says what names of federation mean: the schema's definition with its links, and the subgraphs. Null
   * when the schema was not read from one text, or when it hides something.
   */
  context: string | null
}

const kinds: Record<(TypeDefinitionNode | TypeExtensionNode)['kind'], TypeKind> = {
  [Kind.SCALAR_TYPE_DEFINITION]: 'scalar',
  [Kind.SCALAR_TYPE_EXTENSION]: 'scalar',
  [Kind.OBJECT_TYPE_DEFINITION]: 'object',
  [Kind.OBJECT_TYPE_EXTENSION]: 'object',
  [Kind.INTERFACE_TYPE_DEFINITION]: 'interface',
  [Kind.INTERFACE_TYPE_EXTENSION]: 'interface',
  [Kind.UNION_TYPE_DEFINITION]: 'union',
  [Kind.UNION_TYPE_EXTENSION]: 'union',
  [Kind.ENUM_TYPE_DEFINITION]: 'enum',
  [Kind.ENUM_TYPE_EXTENSION]: 'enum',
  [Kind.INPUT_OBJECT_TYPE_DEFINITION]: 'input',
  [Kind.INPUT_OBJECT_TYPE_EXTENSION]: 'input',
}
const executableLocations = new Set([
  'QUERY',
  'MUTATION',
  'SUBSCRIPTION',
  'FIELD',
  'FRAGMENT_DEFINITION',
  'FRAGMENT_SPREAD',
  'INLINE_FRAGMENT',
  'VARIABLE_DEFINITION',
])

/** The root types of a schema that names none. */
export const defaultRoots = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' } as const

const models = new WeakMap<DocumentNode, SchemaModel>()
/** Types by the node they were read from, with the text that said what names of federation meant there. */
const typesRead = new WeakMap<ASTNode, { links: string; type: TypeModel }>()

/**
 * Reads a schema's text into a model, each document once. What federation itself puts there (`join__Graph`,
 * `_Entity` …) is left out.
 */
export function readSchema(document: DocumentNode): SchemaModel {
  let model = models.get(document)
  if (!model) models.set(document, (model = modelOf(document)))
  return model
}

function modelOf(document: DocumentNode): SchemaModel {
  const names = federationNames(document)
  const types = new Map<string, TypeModel>()
  const directives = new Map<string, DirectiveModel>()
  const schemaDirectives = new Map<string, DirectiveModel>()
  const subgraphs = new Map<string, { name: string; url: string }>()
  const roots: Partial<Record<'query' | 'mutation' | 'subscription', string>> = {}
  const context: string[] = []
  const links = linksOf(document)
  const typeOf = (known: TypeModel | undefined, node: TypeDefinitionNode | TypeExtensionNode) => {
    if (known || links === null) return merged(known, node, names)
    const read = typesRead.get(node)
    if (read?.links === links) return read.type
    const type = merged(known, node, names)
    typesRead.set(node, { links, type })
    return type
  }
  for (const node of document.definitions) {
    if (node.kind === Kind.SCHEMA_DEFINITION || node.kind === Kind.SCHEMA_EXTENSION) {
      for (const { operation, type } of node.operationTypes ?? []) roots[operation] = type.name.value
      context.push(textOf(node))
    } else if (node.kind === Kind.DIRECTIVE_DEFINITION) {
      const locations = node.locations.map((location) => location.value)
      const executable = locations.filter((location) => executableLocations.has(location))
      if (names.isFederationDirective(node.name.value)) continue
      const directive = {
        name: node.name.value,
        args: argumentsOf(node.arguments, names),
        locations: new Set(executable),
        repeatable: node.repeatable,
        node,
      }
      if (executable.length > 0) directives.set(directive.name, directive)
      if (executable.length < locations.length) schemaDirectives.set(directive.name, directive)
    } else if (isTypeNode(node)) {
      const name = node.name.value
      if (name === 'join__Graph' && 'values' in node) {
        context.push(textOf(node))
        for (const value of node.values ?? []) subgraphs.set(value.name.value, graphOf(value, names))
      }
      if (!names.isFederations(name)) types.set(name, typeOf(types.get(name), node))
    }
  }
  // A supergraph names all its roots: a type "Subscription" may be something else there (E1). Subgraphs name some.
  if (subgraphs.size === 0) {
    for (const [operation, name] of Object.entries(defaultRoots))
      if (types.get(name)?.kind === 'object') roots[operation as keyof typeof roots] ??= name
  }
  const whole = document.loc?.source.body
  return {
    roots,
    types,
    directives,
    schemaDirectives,
    subgraphs,
    context: whole === undefined || whole.includes('inaccessible') ? null : context.join('\n'),
  }
}

/** The text of all that links to specifications; null when the document does not know its text. */
function linksOf(document: DocumentNode): string | null {
  const nodes = document.definitions.filter(
    ({ kind }) => kind === Kind.SCHEMA_DEFINITION || kind === Kind.SCHEMA_EXTENSION,
  )
  return nodes.every(({ loc }) => loc) ? nodes.map(textOf).join('\n') : null
}

function textOf({ loc }: ASTNode): string {
  return loc ? loc.source.body.slice(loc.start, loc.end) : ''
}

/** Returns what clients see of a schema: nothing that is `@inaccessible`. */
export function visibleTo(
  schema: SchemaModel,
  hidden: (directives: readonly AppliedDirective[]) => boolean = isInaccessible,
): SchemaModel {
  if (hidden === isInaccessible && schema.context !== null && isWhole(schema)) return schema
  const shown = <T extends { directives: readonly AppliedDirective[] }>(items: ReadonlyMap<string, T>) =>
    items.size === 0 ? items : new Map([...items].filter(([, item]) => !hidden(item.directives)))
  const types = new Map<string, TypeModel>()
  for (const type of schema.types.values()) {
    if (hidden(type.directives)) continue
    const fields = new Map<string, FieldModel>()
    for (const field of type.fields.values()) {
      if (!hidden(field.directives)) fields.set(field.name, { ...field, args: shown(field.args) })
    }
    types.set(type.name, {
      ...type,
      fields,
      inputFields: shown(type.inputFields),
      values: shown(type.values),
    })
  }
  for (const type of types.values()) {
    types.set(type.name, {
      ...type,
      interfaces: new Set([...type.interfaces].filter((name) => types.has(name))),
      members: new Set([...type.members].filter((name) => types.has(name))),
    })
  }
  return { ...schema, types }
}

/** Tells whether a schema has every interface and member its types name. */
function isWhole({ types }: SchemaModel): boolean {
  for (const { interfaces, members } of types.values()) {
    for (const name of interfaces) if (!types.has(name)) return false
    for (const name of members) if (!types.has(name)) return false
  }
  return true
}

export function isInaccessible(directives: readonly AppliedDirective[]): boolean {
  return directives.some(({ name }) => name === 'inaccessible')
}

/** The first application of a directive; null when it is not applied. */
export function directive(
  of: { directives: readonly AppliedDirective[] },
  name: string,
): AppliedDirective | null {
  return of.directives.find((applied) => applied.name === name) ?? null
}

/** `[User!]!` → `User` */
export function namedType(type: string): string {
  return type.replaceAll(/[[\]!]/g, '')
}

function isTypeNode(
  node: DocumentNode['definitions'][number],
): node is TypeDefinitionNode | TypeExtensionNode {
  return node.kind in kinds
}

function merged(
  known: TypeModel | undefined,
  node: TypeDefinitionNode | TypeExtensionNode,
  names: FederationNames,
): TypeModel {
  const kind = kinds[node.kind]
  const fields = new Map(known?.fields)
  const inputFields = new Map(known?.inputFields)
  const values = new Map(known?.values)
  if ('fields' in node) {
    for (const field of node.fields ?? []) {
      if (field.kind === Kind.FIELD_DEFINITION) {
        if (names.isFederations(field.name.value)) continue
        fields.set(field.name.value, {
          ...common(field, names),
          type: typeText(field.type),
          args: argumentsOf(field.arguments, names),
          node: field,
        })
      } else inputFields.set(field.name.value, argumentOf(field, names))
    }
  }
  if ('values' in node)
    for (const value of node.values ?? [])
      values.set(value.name.value, { ...common(value, names), node: value })
  const own = common(node, names)
  return {
    name: own.name,
    kind,
    description: own.description ?? known?.description,
    directives: [...(known?.directives ?? []), ...own.directives],
    interfaces: new Set([
      ...(known?.interfaces ?? []),
      ...('interfaces' in node ? (node.interfaces ?? []).map(({ name }) => name.value) : []),
    ]),
    fields,
    inputFields,
    values,
    members: new Set([
      ...(known?.members ?? []),
      ...('types' in node ? (node.types ?? []).map(({ name }) => name.value) : []),
    ]),
    nodes: [...(known?.nodes ?? []), node],
  }
}

const none: ReadonlyMap<string, ArgumentModel> = new Map()

function argumentsOf(
  nodes: readonly InputValueDefinitionNode[] | undefined,
  names: FederationNames,
): ReadonlyMap<string, ArgumentModel> {
  return nodes?.length ? new Map(nodes.map((node) => [node.name.value, argumentOf(node, names)])) : none
}

function argumentOf(node: InputValueDefinitionNode, names: FederationNames): ArgumentModel {
  return {
    ...common(node, names),
    type: typeText(node.type),
    defaultValue: node.defaultValue && print(node.defaultValue),
    node,
  }
}

function common(
  node: { name: NameNode; description?: StringValueNode; directives?: readonly ConstDirectiveNode[] },
  names: FederationNames,
): { name: string; description: string | undefined; directives: readonly AppliedDirective[] } {
  return {
    name: node.name.value,
    description: 'description' in node ? node.description?.value : undefined,
    directives: (node.directives ?? []).map((applied) => ({
      name: names.canonical(applied.name.value),
      args: argumentValues(applied),
    })),
  }
}

/** The arguments of an applied directive as plain values. */
export function argumentValues(node: ConstDirectiveNode): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const { name, value } of node.arguments ?? []) values[name.value] = plain(value)
  return values
}

function plain(value: ConstValueNode): unknown {
  return value.kind === Kind.STRING || value.kind === Kind.ENUM ? value.value : valueFromASTUntyped(value)
}

/** Type references are printed thousands of times: without the general printer. */
function typeText(node: FieldDefinitionNode['type']): string {
  if (node.kind === Kind.NAMED_TYPE) return node.name.value
  return node.kind === Kind.LIST_TYPE ? `[${typeText(node.type)}]` : `${typeText(node.type)}!`
}

function graphOf(value: EnumValueDefinitionNode, names: FederationNames): { name: string; url: string } {
  const graph = value.directives?.find((applied) => names.canonical(applied.name.value) === 'join__graph')
  const args = graph ? argumentValues(graph) : {}
  return { name: String(args['name'] ?? value.name.value), url: String(args['url'] ?? '') }
}
