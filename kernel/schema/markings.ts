import {
  getLocation,
  GraphQLError,
  Kind as NodeKind,
  valueFromASTUntyped,
  type ASTNode,
  type ConstDirectiveNode,
  type DocumentNode,
  type EnumTypeDefinitionNode,
  type FieldDefinitionNode,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
  type TypeNode,
} from 'graphql'
import { sensitiveClass, sensitiveClasses } from '../sensitive/classes'
import { classNamed } from '../sensitive/marks'
import {
  encryptedKind,
  enumKind,
  kinds,
  markings,
  referenceKind,
  type Kind,
  type Marking,
} from './derived-forms'

/** A field with one mark. */
export interface Marked {
  field: FieldDefinitionNode
  kind: Kind
  /** The named type of the field. */
  typeName: string
  /** Arguments of the mark. */
  as?: string
  description?: string
  minGroup?: number
  scopes?: readonly (readonly string[])[]
  /** The field's own access rule asks for no more than every list of its type. */
  sameAccess?: boolean
  /**
   * The field has few values that nobody types in: of an enum or Boolean, or rows of another type. A time, an id or a text
   * may single out one row.
   */
  isFixed: boolean
  /** The field shows a row of a type with a key. */
  isReference: boolean
}

/** The marked fields of one object type. */
export type MarkedType = Readonly<Record<Marking, readonly Marked[]>>

/** Describes what the SDL of one subgraph defines, by name. */
export interface Outline {
  /** Types that have a definition; extensions do not count. */
  defined: ReadonlySet<string>
  /** Fields of object types, those of extensions included. */
  objects: ReadonlyMap<string, readonly FieldDefinitionNode[]>
  enums: ReadonlySet<string>
  /** Object types with a key. */
  entities: ReadonlySet<string>
  /** Inputs about a record that there is: they name its id or version. */
  changeInputs: ReadonlySet<string>
  /** Types of user errors, by their `enum XUserErrorCode`. */
  userErrors: readonly string[]
}

type ObjectNode = ObjectTypeDefinitionNode | ObjectTypeExtensionNode

export const isObject = (node: ASTNode): node is ObjectNode =>
  node.kind === NodeKind.OBJECT_TYPE_DEFINITION || node.kind === NodeKind.OBJECT_TYPE_EXTENSION

/**
 * Tells whether a node is `enum XUserErrorCode`, which lists a subgraph's own codes and names the type of its user
 * errors.
 */
export const listsCodes = (node: ASTNode): node is EnumTypeDefinitionNode =>
  node.kind === NodeKind.ENUM_TYPE_DEFINITION && node.name.value.endsWith('UserErrorCode')

/** Names that stand in the SDL for the expansion alone: marks, and what `@sensitive` is defined with. */
export const isForExpansion = (name: string): boolean =>
  isMarking(name) || name === 'sensitive' || name === 'SensitiveClass'

export const isMarking = (name: string): name is Marking => (markings as readonly string[]).includes(name)

/**
 * Tells whether a document is to be expanded: it defines all marks. What was expanded, or is nothing of ours, does not.
 */
export function definesMarkings({ definitions }: DocumentNode): boolean {
  const directives = new Set(
    definitions.flatMap((node) => (node.kind === NodeKind.DIRECTIVE_DEFINITION ? [node.name.value] : [])),
  )
  return markings.every((name) => directives.has(name))
}

export function readOutline({ definitions }: DocumentNode): Outline {
  const objects = new Map<string, FieldDefinitionNode[]>()
  const enums = new Set<string>()
  const defined = new Set<string>()
  const entities = new Set<string>()
  const changeInputs = new Set<string>()
  const userErrors: string[] = []
  for (const node of definitions) {
    if (!('name' in node) || !node.name) continue
    const name = node.name.value
    if (node.kind.endsWith('TypeDefinition')) defined.add(name)
    if (node.kind === NodeKind.ENUM_TYPE_DEFINITION) enums.add(name)
    if (listsCodes(node)) userErrors.push(name.slice(0, -'Code'.length))
    if (
      node.kind === NodeKind.INPUT_OBJECT_TYPE_DEFINITION &&
      node.fields?.some((field) => /^(id|expectedVersion)$/.test(field.name.value))
    )
      changeInputs.add(name)
    if (!isObject(node)) continue
    objects.set(name, [...(objects.get(name) ?? []), ...(node.fields ?? [])])
    if (node.directives?.some((directive) => directive.name.value === 'key')) entities.add(name)
  }
  return { defined, objects, enums, entities, changeInputs, userErrors }
}

/**
 * The marked fields of each object type.
 * @throws GraphQLError that begins with file, line and column for a mark that a field cannot carry
 */
export function readMarkedTypes({ definitions }: DocumentNode, outline: Outline): Map<string, MarkedType> {
  const types = new Map<string, Record<Marking, Marked[]>>()
  for (const node of definitions) {
    if (!isObject(node) && node.kind !== NodeKind.INTERFACE_TYPE_DEFINITION) continue
    const type = node.name.value
    for (const field of node.fields ?? []) {
      requireKnownClass(type, field)
      for (const directive of field.directives ?? []) {
        const mark = directive.name.value
        if (!isMarking(mark)) continue
        if (!isObject(node) || ['Query', 'Mutation', 'Subscription'].includes(type))
          refuse(directive, `${type}.${field.name.value}: @${mark} marks fields of rows, not of ${type}`)
        const known = types.get(type) ?? { filter: [], order: [], search: [], group: [], measure: [] }
        known[mark].push(readMark(type, field, directive, mark, outline))
        types.set(type, known)
      }
    }
  }
  return types
}

/** The fields that `search` looks into, by type, as `@search` marks them. */
export function searchedFields(document: DocumentNode): ReadonlyMap<string, readonly string[]> {
  if (!definesMarkings(document)) return new Map()
  const types = [...readMarkedTypes(document, readOutline(document))]
  return new Map(types.map(([type, { search }]) => [type, search.map(({ field }) => field.name.value)]))
}

/** The fields with an access rule of their own that lists may be filtered or ordered by, by type: `sameAccess`. */
export function listedFields(document: DocumentNode): ReadonlyMap<string, ReadonlySet<string>> {
  if (!definesMarkings(document)) return new Map()
  const types = [...readMarkedTypes(document, readOutline(document))]
  return new Map(
    types.map(([type, { filter, order }]) => {
      const listed = [...filter, ...order].filter(({ sameAccess }) => sameAccess)
      return [type, new Set(listed.map(({ field }) => field.name.value))]
    }),
  )
}

/** Describes what the summary of a type is made of: its dimensions and its measures. */
export type SummaryMarks = Pick<MarkedType, 'group' | 'measure'>

/** The dimensions and measures of each type that has any, as `@group` and `@measure` mark them. */
export function summarizedFields(document: DocumentNode): ReadonlyMap<string, SummaryMarks> {
  if (!definesMarkings(document)) return new Map()
  const types = [...readMarkedTypes(document, readOutline(document))]
  return new Map(types.filter(([, { group, measure }]) => group.length + measure.length > 0))
}

function readMark(
  type: string,
  field: FieldDefinitionNode,
  directive: ConstDirectiveNode,
  mark: Marking,
  outline: Outline,
): Marked {
  const place = `${type}.${field.name.value}`
  const given = Object.fromEntries(
    (directive.arguments ?? []).map(({ name, value }) => [name.value, valueFromASTUntyped(value)]),
  ) as Pick<Marked, 'as' | 'description' | 'minGroup' | 'scopes' | 'sameAccess'>
  const ruled = field.directives?.some(({ name }) =>
    ['authenticated', 'requiresScopes', 'policy'].includes(name.value),
  )
  if (ruled && !(mark === 'measure' && given.minGroup !== undefined) && given.sameAccess !== true) {
    const way = mark === 'measure' ? 'give @measure minGroup and scopes' : `take @${mark} away`
    refuse(directive, `${place}: @${mark} would tell the value to those whom its access rule refuses: ${way}`)
  }
  if (given.minGroup !== undefined && !(given.minGroup >= 2))
    refuse(directive, `${place}: @measure(minGroup:) is at least 2; a group of one shows its value`)
  const sensitive = classNamed(field)
  if (sensitive !== undefined && !sensitiveClass(sensitive)!.marks.includes(mark))
    refuse(directive, `${place}: @${mark} would tell what is ${sensitive}: take it away`)
  if ((given.minGroup === undefined) !== (given.scopes === undefined))
    refuse(
      directive,
      `${place}: @measure takes minGroup and scopes together: from how many rows on it is told, and to whom`,
    )
  const typeName = namedTypeOf(field.type)
  const isEncrypted = sensitive !== undefined && sensitiveClass(sensitive)!.encrypted
  const found = isList(field.type) ? undefined : kindOf(typeName, outline)
  const kind = isEncrypted ? (found === kinds['String'] ? encryptedKind : undefined) : found
  if (!kind?.marks.includes(mark))
    refuse(directive, `${place}: a field of type ${typeOf(field.type)} cannot carry @${mark}`)
  if (typeName === 'Money' && mark === 'filter' && given.as !== undefined)
    refuse(directive, `${place}: a condition of money is named like its field: write @filter without as`)
  if (
    typeName === 'Money' &&
    mark === 'order' &&
    !field.directives?.some(({ name }) => name.value === 'filter')
  )
    refuse(directive, `${place}: amounts compare within one currency: write @filter as well, to choose it`)
  const isReference = outline.entities.has(typeName)
  const isFixed = isReference || outline.enums.has(typeName) || typeName === 'Boolean'
  return { field, kind, typeName, isFixed, isReference, ...given }
}

function requireKnownClass(type: string, field: FieldDefinitionNode): void {
  const sensitive = classNamed(field)
  if (sensitive === undefined || sensitiveClass(sensitive)) return
  const known = Object.keys(sensitiveClasses).join(', ')
  refuse(field, `${type}.${field.name.value}: @sensitive names no class: choose one of ${known}`)
}

function kindOf(typeName: string, { enums, entities }: Outline): Kind | undefined {
  if (enums.has(typeName)) return enumKind(typeName)
  return entities.has(typeName) ? referenceKind : kinds[typeName]
}

/** @throws GraphQLError whose message begins with file, line and column of the node */
export function refuse(node: ASTNode, message: string): never {
  const { loc } = node
  const { line, column } = loc ? getLocation(loc.source, loc.start) : { line: 0, column: 0 }
  throw new GraphQLError(loc ? `${loc.source.name}:${line}:${column} ${message}` : message, { nodes: [node] })
}

export function namedTypeOf(node: TypeNode): string {
  return node.kind === NodeKind.NAMED_TYPE ? node.name.value : namedTypeOf(node.type)
}

function isList(node: TypeNode): boolean {
  return node.kind === NodeKind.NON_NULL_TYPE ? isList(node.type) : node.kind === NodeKind.LIST_TYPE
}

const typeOf = (node: TypeNode): string => (isList(node) ? `[${namedTypeOf(node)}]` : namedTypeOf(node))
