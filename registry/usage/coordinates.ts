import {
  Kind,
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type TypeNode,
  type ValueNode,
  type VariableDefinitionNode,
} from 'graphql'
import type { SchemaModel } from '../schema-model'
import { formsOfLiteral, formsOfValue, type Form } from './forms'
import { complete, vocabularyOf, type FieldMarks, type InputMarks } from './vocabulary'

/** Says how much a document says about what was sent. */
export interface Reading {
  /**
   * - `written`: all literals; what variables held is told by {@link addVariable}
   * - `text`: variables, and the empty lists and objects of signatures, may have held anything
   * - `signature`: which arguments were given; what objects held is known from elsewhere
   * - `none`: all of that is known from elsewhere
   */
  sent: 'written' | 'text' | 'signature' | 'none'
  /** Tells whether marks that no record keeps are wanted: how its parts belong together. */
  structure: boolean
  /** The values of variables, where they are known: one with a default may still be null. */
  variables?: Readonly<Record<string, unknown>>
}

/**
 * Returns what of a schema an operation uses, as marks that a record keeps (vocabulary.ts).
 * @param variables their values; what they use is added
 */
export function coordinatesOf(
  schema: SchemaModel,
  document: DocumentNode,
  variables: Readonly<Record<string, unknown>> = {},
): Set<string> {
  const found = new Set([complete])
  readMarks(schema, document, { sent: 'written', structure: false, variables }, (mark) => found.add(mark))
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue
    for (const { variable, type } of definition.variableDefinitions ?? [])
      addVariable(schema, namedTypeOf(type), variables[variable.name.value], found)
  }
  return found
}

/** Adds what a variable's value uses: input types and fields, enum values, what was left out. Values are never kept. */
export function addVariable(
  schema: SchemaModel,
  typeName: string,
  value: unknown,
  found: { add(mark: string): unknown },
): void {
  if (value === null || value === undefined) return
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) addVariable(schema, typeName, item, found)
    return
  }
  const inside = vocabularyOf(schema).input(typeName)
  if (!inside || typeof value !== 'object') {
    found.add(typeName)
    if (typeof value === 'string' && schema.types.get(typeName)?.values.has(value))
      found.add(`${typeName}.${value}`)
    return
  }
  found.add(typeName)
  found.add(inside.sent)
  let given = 0
  for (const field of inside.fields.values()) {
    const item: unknown = Object.hasOwn(value, field.name)
      ? (value as Record<string, unknown>)[field.name]
      : undefined
    if (item === undefined) {
      found.add(field.without)
      continue
    }
    given += item === null ? 2 : 1
    found.add(field.coordinate)
    for (const form of formsOfValue(item)) found.add(`${field.coordinate}=${form}`)
    addVariable(schema, field.typeName, item, found)
  }
  if (given !== 1) found.add(inside.notOne)
}

/** Finds the marks of all operations of a document, some of them repeatedly. */
export function readMarks(
  schema: SchemaModel,
  document: DocumentNode,
  reading: Reading,
  add: (mark: string) => void,
): void {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  for (const definition of document.definitions)
    if (definition.kind === Kind.OPERATION_DEFINITION)
      new OperationReader(schema, definition, fragments, reading, add).read()
}

/** Describes where a selection stands. */
interface Place {
  typeName: string
  /** The objects that may be met here. */
  possible: ReadonlySet<string>
  /** The field whose result it is; null at the root and inside fragments. */
  of: FieldMarks | null
}

/** Finds the marks of one operation. */
class OperationReader {
  readonly #vocabulary: ReturnType<typeof vocabularyOf>
  readonly #inputs: ReturnType<typeof inputReader>
  readonly #walked = new Set<string>()

  constructor(
    private readonly schema: SchemaModel,
    private readonly operation: OperationDefinitionNode,
    private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>,
    private readonly reading: Reading,
    private readonly add: (mark: string) => void,
  ) {
    this.#vocabulary = vocabularyOf(schema)
    this.#inputs = inputReader(schema, variableForms(operation, reading.variables), reading, add)
  }

  read(): void {
    const { operation, reading, add } = this
    this.#directives(operation.directives, operation.operation.toUpperCase())
    for (const { type, defaultValue, directives } of operation.variableDefinitions ?? []) {
      const typeName = namedTypeOf(type)
      this.#directives(directives, 'VARIABLE_DEFINITION')
      add(typeName)
      if (reading.structure) add(`$${typeName}`)
      if (defaultValue) this.#inputs.value(typeName, defaultValue)
    }
    const root = this.schema.roots[operation.operation]
    if (!root) return
    const possible = this.#vocabulary.possible(root)
    this.#selections({ typeName: root, possible, of: null }, operation.selectionSet)
  }

  #selections(place: Place, set: SelectionSetNode): void {
    this.add(place.typeName)
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) this.#field(place, selection)
      else if (selection.kind === Kind.INLINE_FRAGMENT) {
        this.#directives(selection.directives, 'INLINE_FRAGMENT')
        const condition = selection.typeCondition?.name.value
        const inside = condition === undefined ? place : this.#narrowed(place, condition)
        this.#selections(inside, selection.selectionSet)
      } else this.#spread(place, selection.name.value, selection.directives)
    }
  }

  #field(place: Place, node: FieldNode): void {
    const { schema, reading, add } = this
    const { typeName, of } = place
    this.#directives(node.directives, 'FIELD')
    const name = node.name.value
    const field = this.#vocabulary.field(typeName, name)
    if (!field) return
    add(field.coordinate)
    this.#inputs.given(field.args, `${field.coordinate}(`, node.arguments)
    if (reading.structure) {
      if (of) add(of.inside(name))
      add(field.returns)
      if (schema.types.get(typeName)?.kind === 'interface') this.#through(place, name)
    }
    const possible = this.#vocabulary.possible(field.result)
    if (node.selectionSet)
      this.#selections({ typeName: field.result, possible, of: field }, node.selectionSet)
    else add(field.result)
  }

  /** An interface's field is read from the objects that may be met there. */
  #through({ possible }: Place, name: string): void {
    for (const object of possible) {
      this.add(`~${object}`)
      this.add(`~${object}.${name}`)
    }
  }

  #spread(place: Place, name: string, applied: readonly DirectiveNode[] | undefined): void {
    this.#directives(applied, 'FRAGMENT_SPREAD')
    const fragment = this.fragments.get(name)
    if (!fragment) return
    const inside = this.#narrowed(place, fragment.typeCondition.name.value)
    const key = this.reading.structure
      ? `${name} ${inside.of?.coordinate ?? ''} ${[...inside.possible].join(' ')}`
      : name
    if (this.#walked.has(key)) return
    this.#walked.add(key)
    this.#directives(fragment.directives, 'FRAGMENT_DEFINITION')
    this.#selections(inside, fragment.selectionSet)
  }

  #narrowed(place: Place, condition: string): Place {
    const { reading, add } = this
    const { typeName, of, possible } = place
    if (condition !== typeName) add(`${typeName}>${condition}`)
    if (reading.structure && of) add(of.inside(`>${condition}`))
    if (condition === typeName) return { ...place, of: null }
    const inside = [...this.#vocabulary.possible(condition)].filter((name) => possible.has(name))
    return { typeName: condition, possible: new Set(inside), of: null }
  }

  #directives(applied: readonly DirectiveNode[] | undefined, location: string): void {
    if (!applied?.length) return
    const { reading, add } = this
    const seen = new Set<string>()
    for (const { name, arguments: given } of applied) {
      const coordinate = `@${name.value}`
      add(coordinate)
      if (reading.structure) {
        add(`${coordinate} on ${location}`)
        if (seen.has(coordinate)) add(`${coordinate} twice`)
        seen.add(coordinate)
      }
      this.#inputs.given(this.#vocabulary.directive(name.value), `${coordinate}(`, given)
    }
  }
}

function variableForms(
  { variableDefinitions = [] }: OperationDefinitionNode,
  held: Reading['variables'],
): ReadonlyMap<string, Form> {
  return new Map(
    variableDefinitions.map((definition) => {
      const name = definition.variable.name.value
      const ofDefault = !hasDefault(definition) ? '' : held && held[name] !== null ? '==' : '='
      return [name, `$${typeText(definition.type)}${ofDefault}`]
    }),
  )
}

/** Tells whether a variable that is left out is not null. */
export function hasDefault({ defaultValue }: VariableDefinitionNode): boolean {
  return defaultValue !== undefined && defaultValue.kind !== Kind.NULL
}

/** Reads what an operation sends. */
function inputReader(
  schema: SchemaModel,
  variables: ReadonlyMap<string, Form>,
  { sent }: Reading,
  add: (mark: string) => void,
) {
  const vocabulary = vocabularyOf(schema)
  const addAll = (marks: readonly string[]) => marks.forEach(add)

  /** Arguments, those left out too. @param owner what their coordinates begin with, where the schema has none */
  function given(
    known: ReadonlyMap<string, InputMarks>,
    owner: string,
    args: readonly { name: { value: string }; value: ValueNode }[] | undefined,
  ): void {
    for (const { name, value: node } of args ?? []) {
      const marks = known.get(name.value)
      if (marks) one(marks, node)
      else add(`${owner}${name.value}:)`)
    }
    if (sent === 'none') return
    for (const { name, without } of known.values())
      if (!args?.some((argument) => argument.name.value === name)) add(without)
  }

  function one({ coordinate, typeName }: InputMarks, node: ValueNode): void {
    add(coordinate)
    if (sent === 'none') return
    const guessed =
      node.kind === Kind.LIST && (sent === 'signature' || (sent === 'text' && node.values.length === 0))
    for (const form of guessed ? ['*'] : formsOfLiteral(node, variables)) add(`${coordinate}=${form}`)
    value(typeName, node)
  }

  function value(typeName: string, node: ValueNode): void {
    if (sent === 'none') return
    add(typeName)
    const inside = vocabulary.input(typeName)
    const isEmpty =
      (node.kind === Kind.LIST && node.values.length === 0) ||
      (node.kind === Kind.OBJECT && node.fields.length === 0)
    if (sent === 'text' && (node.kind === Kind.VARIABLE || isEmpty)) addAll(vocabulary.anything(typeName))
    else if (sent === 'signature' && inside && node.kind !== Kind.NULL) addAll(ofAnyShape(schema, typeName))
    else if (node.kind === Kind.LIST) for (const item of node.values) value(typeName, item)
    else if (node.kind === Kind.ENUM) add(`${typeName}.${node.value}`)
    else if (node.kind === Kind.OBJECT && inside) {
      add(inside.sent)
      const [first] = node.fields
      const form = first && formsOfLiteral(first.value, variables)[0]
      const isOne = node.fields.length === 1 && form !== 'null' && !/^\$.*[^!]$/.test(form ?? '')
      if (!isOne) add(inside.notOne)
      for (const { name, value: item } of node.fields) {
        const marks = inside.fields.get(name.value)
        if (marks) one(marks, item)
        else add(`${typeName}.${name.value}`)
      }
      for (const { name, without } of inside.fields.values())
        if (!node.fields.some((field) => field.name.value === name)) add(without)
    }
  }

  return { given, value }
}

/** The marks of an object of an input type of which nobody knows what was in it. */
export function ofAnyShape(schema: SchemaModel, typeName: string): string[] {
  const inside = vocabularyOf(schema).input(typeName)
  if (!inside) return []
  return [typeName, inside.sent, inside.notOne, ...[...inside.fields.values()].map((f) => f.without)]
}

function namedTypeOf(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedTypeOf(type.type)
}

function typeText(type: TypeNode): string {
  if (type.kind === Kind.NAMED_TYPE) return type.name.value
  return type.kind === Kind.LIST_TYPE ? `[${typeText(type.type)}]` : `${typeText(type.type)}!`
}
