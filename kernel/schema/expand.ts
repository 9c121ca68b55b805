import {
  Kind,
  parse,
  print,
  visit,
  type ASTNode,
  type DefinitionNode,
  type DocumentNode,
  type EnumTypeDefinitionNode,
  type FieldDefinitionNode,
  type Location,
  type NameNode,
  type ObjectTypeDefinitionNode,
  type TypeNode,
} from 'graphql'
import { platformScope } from '../access/access'
import { withChangeInputs } from './change-inputs'
import {
  codesForm,
  conditionSentence,
  connectionField,
  connectionForm,
  edgeForm,
  enumFilterForm,
  filterForm,
  inputForm,
  orderFieldForm,
  orderForm,
  orderSentence,
  orderValue,
  payloadForm,
  userErrorForm,
} from './derived-forms'
import { changeKindForm, liveField, liveFieldName, liveForm } from './live-forms'
import {
  dimensionForm,
  groupForm,
  keyForm,
  summaryField,
  summaryForm,
  summaryOrderFieldForm,
  summaryOrderForm,
} from './summary-forms'
import { withToldAccess } from './told-access'
import {
  definesMarkings,
  isForExpansion,
  isObject,
  listsCodes,
  namedTypeOf,
  readMarkedTypes,
  readOutline,
  refuse,
  type Marked,
  type MarkedType,
  type Outline,
} from './markings'

/**
 * The SDL of a subgraph with everything that follows from it written out (docs/derived-schema.md): list arguments,
 * connections, filters, orders, summaries, payloads, inputs and user errors. Marks and their definitions are gone, so expanding
 * again changes nothing; a document that does not define the marks is returned as it is.
 *
 * Pure: the source's nodes are never changed. Derived nodes carry the location of what they are derived from.
 * Whatever is defined by hand under the name of a derived form wins.
 *
 * @throws GraphQLError that begins with file, line and column where something cannot be derived
 */
export function expand(source: DocumentNode): DocumentNode {
  if (!definesMarkings(source)) return source
  const document = withChangeInputs(source)
  const outline = readOutline(document)
  const marked = readMarkedTypes(document, outline)
  const made = new DerivedTypes(outline.defined)
  for (const [type, marks] of marked) deriveFilterAndOrder(type, marks, outline, made)
  deriveUserErrors(document, made)
  for (const field of outline.objects.get('Mutation') ?? []) deriveMutation(field, outline, made)
  for (const [parent, fields] of outline.objects)
    for (const field of fields) {
      deriveConnection(field.type, outline, made)
      deriveSummary(parent, field, outline, marked, made)
    }
  deriveSubscriptions(outline, made)
  return {
    ...document,
    definitions: withToldAccess([
      ...document.definitions.flatMap((node) => rewritten(node, outline, marked, made)),
      ...made.definitions,
    ]),
  }
}

/** Types written out so far. */
class DerivedTypes {
  readonly definitions: DefinitionNode[] = []
  private readonly names: Set<string>

  constructor(written: ReadonlySet<string>) {
    this.names = new Set(written)
  }

  /** Tells whether the type is written or derived. */
  has = (name: string): boolean => this.names.has(name)

  /** Adds fields to a type, which may be written or derived as well. */
  extend(definition: ObjectTypeDefinitionNode): void {
    this.definitions.push(definition)
  }

  /** Adds a type unless it is there: whoever writes it wins. `members` are where its fields or values come from. */
  add(
    name: string,
    text: () => string,
    origin: ASTNode,
    members: readonly (ASTNode | undefined)[] = [],
  ): void {
    if (this.has(name)) return
    const [node] = derived(text(), origin.loc)
    const parts = 'fields' in node! ? node.fields : 'values' in node! ? node.values : []
    parts?.forEach((part, position) => locate(part, members[position]?.loc ?? origin.loc))
    this.names.add(name)
    this.definitions.push(node!)
  }
}

/** Fresh nodes of a text, all at one location. */
function derived(text: string, loc: Location | undefined): readonly DefinitionNode[] {
  return parse(text, { noLocation: true }).definitions.map((node) => locate(node, loc))
}

/** Only for nodes that {@link derived} made. */
function locate<N extends ASTNode>(node: N, loc: Location | undefined): N {
  visit(node, { enter: (part) => void Object.assign(part, { loc }) })
  return node
}

function deriveFilterAndOrder(
  type: string,
  { filter, order, search }: MarkedType,
  outline: Outline,
  made: DerivedTypes,
): void {
  const name = (marked: Marked) => marked.field.name
  if (filter.length + search.length > 0) {
    const conditions = filter.map((mark) => ({
      name: mark.as ?? mark.kind.nameOf(mark.field.name.value),
      type: mark.kind.condition,
      sentence: mark.description ?? conditionSentence(mark.field, mark.kind.condition, mark.as),
    }))
    conditions.forEach((condition, position) => {
      if (
        condition.name === 'search' ||
        conditions.findIndex((one) => one.name === condition.name) < position
      )
        refuse(name(filter[position]!), `${type}Filter would have ${condition.name} twice: use @filter(as:)`)
    })
    for (const { typeName, kind, field } of filter)
      if (kind.condition === `${typeName}Filter` && outline.enums.has(typeName))
        made.add(kind.condition, () => enumFilterForm(typeName), field.name)
    const searched = search.map((mark) => mark.field.name.value)
    made.add(
      `${type}Filter`,
      () => filterForm(type, conditions, searched),
      name((search[0] ?? filter[0])!),
      [...search.slice(0, 1), ...filter].map(name),
    )
  }
  if (order.length > 0) {
    const values = order.map(({ field, typeName, description }) => ({
      name: orderValue(field.name.value),
      sentence: description ?? orderSentence(field, typeName),
    }))
    made.add(`${type}Order`, () => orderForm(type), name(order[0]!))
    made.add(`${type}OrderField`, () => orderFieldForm(type, values), name(order[0]!), order.map(name))
  }
}

function deriveUserErrors({ definitions }: DocumentNode, made: DerivedTypes): void {
  for (const { name } of definitions.filter(listsCodes)) {
    const error = name.value.slice(0, -'Code'.length)
    made.add(error, () => userErrorForm(error), name)
  }
}

/** The payload `{ noun, userErrors }` and the input `{ id, expectedVersion }` of a mutation that names them only. */
function deriveMutation(field: FieldDefinitionNode, outline: Outline, made: DerivedTypes): void {
  const { objects, defined } = outline
  const mutation = field.name.value
  const base = mutation.charAt(0).toUpperCase() + mutation.slice(1)
  const input = field.arguments?.find(
    ({ name, type }) => name.value === 'input' && namedTypeOf(type) === `${base}Input`,
  )
  const isWanted = (name: string) => !made.has(name)
  const [, verb = '', noun = ''] = /^([a-z0-9]+)(.*)$/.exec(mutation) ?? []
  const wanted = (name: string, node: NameNode): NameNode => {
    // The verb is one word: otherwise a new type could change what another mutation's form is derived from.
    if (!defined.has(noun) || !objects.has(noun))
      refuse(node, `${name} is neither written nor derived: ${mutation} is not a verb of one word and a type`)
    return node
  }
  if (input && isWanted(`${base}Input`)) {
    const node = wanted(`${base}Input`, nameOf(input.type))
    if (verb === 'create') refuse(node, `${base}Input must be written: it says what a new record is made of`)
    made.add(`${base}Input`, () => inputForm(mutation, noun), node)
  }
  if (namedTypeOf(field.type) !== `${base}Payload` || !isWanted(`${base}Payload`)) return
  const node = wanted(`${base}Payload`, nameOf(field.type))
  const error = outline.userErrors[0]
  if (!error) refuse(node, `${base}Payload needs user errors: write an enum that ends in UserErrorCode`)
  const isNew = defined.has(`${base}Input`) && !outline.changeInputs.has(`${base}Input`)
  made.add(`${base}Payload`, () => payloadForm(mutation, noun, error, isNew), node)
}

function deriveConnection(typeNode: TypeNode, { objects, defined }: Outline, made: DerivedTypes): void {
  const type = /^(\w+)Connection$/.exec(namedTypeOf(typeNode))?.[1]
  if (!type || !defined.has(type) || !objects.has(type)) return
  made.add(`${type}Connection`, () => connectionForm(type), nameOf(typeNode))
  made.add(`${type}Edge`, () => edgeForm(type), nameOf(typeNode))
}

/** The type whose summary a field shows that nobody wrote by hand, or undefined. */
function summarizedType(typeNode: TypeNode, { objects, defined }: Outline): string | undefined {
  const name = namedTypeOf(typeNode)
  const type = /^(\w+)Summary$/.exec(name)?.[1]
  return type && !defined.has(name) && objects.has(type) ? type : undefined
}

/** The types of a summary that a field at the root names only. */
function deriveSummary(
  parent: string,
  field: FieldDefinitionNode,
  outline: Outline,
  marked: ReadonlyMap<string, MarkedType>,
  made: DerivedTypes,
): void {
  const type = summarizedType(field.type, outline)
  if (!type) return
  const marks = marked.get(type)
  const node = nameOf(field.type)
  if (parent !== 'Query')
    refuse(node, `${node.value} is a field of Query: a list has one summary, at the root`)
  if (!marks || marks.group.length + marks.measure.length === 0)
    refuse(node, `${node.value} has nothing to tell: mark fields of ${type} with @group or @measure`)
  const at = (list: readonly Marked[]) => list.map((mark) => mark.field.name)
  made.add(`${type}Summary`, () => summaryForm(type, marks), node)
  made.add(`${type}Group`, () => groupForm(type, marks), node, [undefined, undefined, ...at(marks.measure)])
  if (marks.group.length === 0) return
  made.add(`${type}Key`, () => keyForm(type, marks), node, at(marks.group))
  made.add(`${type}Dimension`, () => dimensionForm(type, marks), node, at(marks.group))
  made.add(`${type}SummaryOrder`, () => summaryOrderForm(type, marks), node)
  made.add(`${type}SummaryOrderField`, () => summaryOrderFieldForm(type, marks), node)
}

/**
 * A field of `Subscription` and its type for each field of `Query` that shows one row by its id, of a type whose rows change.
 * It asks for what that field asks for, so its directives are that field's.
 */
function deriveSubscriptions({ objects, entities }: Outline, made: DerivedTypes): void {
  const written = new Set(objects.get('Subscription')?.map(({ name }) => name.value))
  const fields = (objects.get('Query') ?? []).flatMap((field): FieldDefinitionNode[] => {
    const query = field.name.value
    const type = namedTypeOf(field.type)
    const [argument, ...others] = field.arguments ?? []
    const isById = argument?.name.value === 'id' && namedTypeOf(argument.type) === 'ID' && others.length === 0
    const changes = objects.get(type)?.some(({ name }) => name.value === 'version') ?? false
    // What operators of the platform see is no tenant's.
    const isHidden = field.directives?.some(
      (one) => one.name.value === 'inaccessible' || print(one).includes(platformScope),
    )
    if (!isById || !entities.has(type) || !changes || isHidden || written.has(liveFieldName(query))) return []
    made.add(`${type}Change`, () => liveForm(query, type), field.name)
    made.add('ChangeKind', changeKindForm, field.name)
    const [parent] = derived(liveField(query, type), field.name.loc) as [ObjectTypeDefinitionNode]
    const directives = field.directives?.filter(({ name }) => !isForExpansion(name.value))
    return parent.fields!.map((form) => ({ ...form, directives }))
  })
  if (fields.length === 0) return
  const kind = objects.has('Subscription') ? 'extend type' : 'type'
  const [root] = derived(`${kind} Subscription { fields: Boolean }`, fields[0]!.loc)
  made.extend({ ...(root as ObjectTypeDefinitionNode), fields })
}

/** A definition without marks, its connections with arguments, its codes with those that all subgraphs have. */
function rewritten(
  node: DefinitionNode,
  outline: Outline,
  marked: ReadonlyMap<string, MarkedType>,
  made: DerivedTypes,
): DefinitionNode[] {
  if ('name' in node && node.name && isForExpansion(node.name.value)) return []
  if (listsCodes(node)) return [withCommonCodes(node)]
  if (!isObject(node)) return [node]
  const atRoot = node.name.value === 'Query'
  const fields = node.fields?.map((field) => rewrittenField(field, atRoot, outline, marked, made))
  return [{ ...node, fields }]
}

function rewrittenField(
  field: FieldDefinitionNode,
  atRoot: boolean,
  outline: Outline,
  marked: ReadonlyMap<string, MarkedType>,
  made: DerivedTypes,
): FieldDefinitionNode {
  const unmarked = {
    ...field,
    directives: field.directives?.filter(({ name }) => !isForExpansion(name.value)),
  }
  const type = /^(\w+)Connection$/.exec(namedTypeOf(field.type))?.[1]
  const summarized = summarizedType(field.type, outline)
  if (!summarized && (!type || !outline.objects.has(type))) return unmarked
  const text = summarized
    ? summaryField(summarized, marked.get(summarized)!, made.has)
    : connectionField(type!, atRoot, made.has)
  const [parent] = derived(text, field.name.loc)
  const form = (parent as ObjectTypeDefinitionNode).fields![0]!
  return {
    ...unmarked,
    arguments: added(field.arguments, form.arguments),
    directives: added(unmarked.directives, form.directives),
  }
}

function withCommonCodes(node: EnumTypeDefinitionNode): EnumTypeDefinitionNode {
  const form = codesForm(node.name.value, new Set(node.values?.map(({ name }) => name.value)))
  if (!form) return node
  const common = derived(form, node.name.loc)[0] as EnumTypeDefinitionNode
  return {
    ...node,
    description: node.description ?? common.description,
    values: [...(common.values ?? []), ...(node.values ?? [])],
  }
}

/** Returns what is written, then what it lacks of the form. */
function added<N extends { name: NameNode }>(written: readonly N[] = [], form: readonly N[] = []): N[] {
  return [...written, ...form.filter(({ name }) => !written.some((one) => one.name.value === name.value))]
}

function nameOf(node: TypeNode): NameNode {
  return node.kind === Kind.NAMED_TYPE ? node.name : nameOf(node.type)
}
