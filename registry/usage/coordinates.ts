import {
  Kind,
  type DirectiveNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  type SelectionSetNode,
  type TypeNode,
  type ValueNode,
} from 'graphql'
import { namedType, type ArgumentModel, type FieldModel, type SchemaModel } from '../schema-model'

/**
 * Coordinates and result types of fields, made once for each field of a schema: a check reads thousands of operations,
 * and a text that is built anew is hashed anew wherever it is looked up.
 */
const facts = new WeakMap<FieldModel, { coordinate: string; result: string }>()

function factsOf(typeName: string, field: FieldModel): { coordinate: string; result: string } {
  let known = facts.get(field)
  if (!known) {
    known = { coordinate: `${typeName}.${field.name}`, result: namedType(field.type) }
    facts.set(field, known)
  }
  return known
}

/**
 * What of a schema an operation uses, as schema coordinates:
 * - `User` types that it selects, narrows to or names in variables; `SearchResult>User` where a fragment narrows
 * - `User.email`, `Query.users(first:)`, `UserFilter.search`, `Plan.TRIAL` fields, arguments, input fields and enum
 *   values that it writes, or gives in variables
 * - `@skip`, `@skip(if:)` directives
 *
 * Literals never appear: coordinates are names of the schema.
 */
export function coordinatesOf(
  schema: SchemaModel,
  document: DocumentNode,
  variables?: Readonly<Record<string, unknown>>,
): Set<string> {
  const found = new Set<string>()
  const fragments = new Map<string, FragmentDefinitionNode>()
  const walked = new Set<string>()

  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  }

  function selections(typeName: string, set: SelectionSetNode): void {
    const type = schema.types.get(typeName)
    found.add(typeName)
    for (const selection of set.selections) {
      directives(selection.directives)
      if (selection.kind === Kind.FIELD) {
        const field = type?.fields.get(selection.name.value)
        if (!field) continue
        const { coordinate, result } = factsOf(typeName, field)
        found.add(coordinate)
        for (const { name, value } of selection.arguments ?? [])
          argument(`${coordinate}(${name.value}:)`, field.args.get(name.value), value)
        if (selection.selectionSet) selections(result, selection.selectionSet)
        else found.add(result)
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        narrowed(typeName, selection.typeCondition?.name.value ?? typeName, selection.selectionSet)
      } else {
        const fragment = fragments.get(selection.name.value)
        if (!fragment) continue
        const condition = fragment.typeCondition.name.value
        if (condition !== typeName) found.add(`${typeName}>${condition}`)
        if (walked.has(selection.name.value)) continue
        walked.add(selection.name.value)
        directives(fragment.directives)
        selections(condition, fragment.selectionSet)
      }
    }
  }

  function narrowed(typeName: string, condition: string, set: SelectionSetNode): void {
    if (condition !== typeName) found.add(`${typeName}>${condition}`)
    selections(condition, set)
  }

  function directives(applied: readonly DirectiveNode[] | undefined): void {
    for (const { name, arguments: args } of applied ?? []) {
      found.add(`@${name.value}`)
      for (const { name: argumentName, value } of args ?? []) {
        argument(
          `@${name.value}(${argumentName.value}:)`,
          schema.directives.get(name.value)?.args.get(argumentName.value),
          value,
        )
      }
    }
  }

  function argument(coordinate: string, model: ArgumentModel | undefined, value: ValueNode): void {
    found.add(coordinate)
    if (model) literal(namedType(model.type), value)
  }

  function literal(typeName: string, value: ValueNode): void {
    if (value.kind === Kind.LIST) for (const item of value.values) literal(typeName, item)
    else if (value.kind === Kind.ENUM) found.add(`${typeName}.${value.value}`)
    else if (value.kind === Kind.OBJECT) {
      found.add(typeName)
      for (const { name, value: item } of value.fields) {
        const field = schema.types.get(typeName)?.inputFields.get(name.value)
        found.add(`${typeName}.${name.value}`)
        if (field) literal(namedType(field.type), item)
      }
    }
  }

  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue
    directives(definition.directives)
    for (const { variable, type, defaultValue } of definition.variableDefinitions ?? []) {
      const typeName = typeNameOf(type)
      found.add(typeName)
      if (defaultValue) literal(typeName, defaultValue)
      if (variables) addVariable(schema, typeName, variables[variable.name.value], found)
    }
    const root = schema.roots[definition.operation]
    if (root) selections(root, definition.selectionSet)
  }
  return found
}

/** Adds the input fields and enum values that a variable's value uses. Values themselves are never kept. */
export function addVariable(schema: SchemaModel, typeName: string, value: unknown, found: Set<string>): void {
  if (value === null || value === undefined) return
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) addVariable(schema, typeName, item, found)
    return
  }
  const type = schema.types.get(typeName)
  if (type?.kind === 'enum' && typeof value === 'string' && type.values.has(value))
    found.add(`${typeName}.${value}`)
  if (type?.kind !== 'input' || typeof value !== 'object') return
  for (const [name, item] of Object.entries(value)) {
    const field = type.inputFields.get(name)
    if (!field) continue
    found.add(`${typeName}.${name}`)
    addVariable(schema, namedType(field.type), item, found)
  }
}

function typeNameOf(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : typeNameOf(type.type)
}
