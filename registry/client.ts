import {
  Kind,
  type DocumentNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type TypeNode,
} from 'graphql'
import type { NamedOperation } from './usage/manifest'
import { namedType, visibleTo, type FieldModel, type SchemaModel } from './schema-model'

/** Holds what JSON carries for scalars; those not listed may carry anything. */
const scalarTypes: Readonly<Record<string, string>> = {
  ID: 'string',
  String: 'string',
  Int: 'number',
  Float: 'number',
  Boolean: 'boolean',
  DateTime: 'string',
  Date: 'string',
  Decimal: 'string',
  CurrencyCode: 'string',
  EmailAddress: 'string',
  TimeZone: 'string',
}

const header = `// Written by \`npm run schema -- operations\`; do not edit.
import type { DocumentNode } from 'graphql'

/** A document that knows what it answers and takes; clients that know TypedDocumentNode read the same property. */
export interface TypedDocument<Result, Variables> extends DocumentNode {
  __apiType?: (variables: Variables) => Result
}`

/**
 * A TypeScript module with a typed document for each operation, and the enums and inputs they use. Results have exactly
 * the fields that were selected.
 */
export function typedClient(graph: SchemaModel, operations: readonly NamedOperation[]): string {
  const schema = visibleTo(graph)
  const named = new Set<string>()
  const parts = operations.flatMap(({ name, document }) => {
    const operation = document.definitions.find(
      (node): node is OperationDefinitionNode => node.kind === Kind.OPERATION_DEFINITION,
    )
    const root = operation && schema.roots[operation.operation]
    if (!operation || !root) return []
    const result = selectionType(schema, document, root, [operation.selectionSet], named)
    const suffix = operation.operation.charAt(0).toUpperCase() + operation.operation.slice(1)
    return [
      `export type ${name}${suffix} = ${result}`,
      `export type ${name}${suffix}Variables = ${variablesType(operation, schema, named)}`,
      `export const ${name}Document = ${JSON.stringify(document)} as unknown as TypedDocument<${name}${suffix}, ${name}${suffix}Variables>`,
    ]
  })
  return `${[header, ...namedTypes(schema, named), ...parts].join('\n\n')}\n`
}

/** Enums and inputs, with what inputs lead to. */
function namedTypes(schema: SchemaModel, named: Set<string>): string[] {
  const texts = new Map<string, string>()
  // A set that grows while it is walked: inputs name further types.
  for (const name of named) {
    const type = schema.types.get(name)
    if (type?.kind === 'enum')
      texts.set(
        name,
        `export type ${name} = ${[...type.values.keys()].map((value) => `'${value}'`).join(' | ')}`,
      )
    if (type?.kind === 'input') {
      const fields = [...type.inputFields.values()].map((field) =>
        property(
          field.name,
          inputType(schema, field.type, named),
          field.defaultValue !== undefined || !field.type.endsWith('!'),
        ),
      )
      texts.set(name, `export interface ${name} {\n${fields.map((field) => `  ${field}`).join('\n')}\n}`)
    }
  }
  return [...texts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text)
}

function variablesType(operation: OperationDefinitionNode, schema: SchemaModel, named: Set<string>): string {
  const variables = operation.variableDefinitions ?? []
  if (variables.length === 0) return 'Record<string, never>'
  return `{ ${variables
    .map(({ variable, type, defaultValue }) =>
      property(
        variable.name.value,
        inputType(schema, typeText(type), named),
        defaultValue !== undefined || type.kind !== Kind.NON_NULL_TYPE,
      ),
    )
    .join('; ')} }`
}

function property(name: string, type: string, optional: boolean): string {
  return `readonly ${name}${optional ? '?' : ''}: ${type}`
}

function inputType(schema: SchemaModel, type: string, named: Set<string>): string {
  return wrapped(type, leafType(schema, namedType(type), named))
}

function leafType(schema: SchemaModel, name: string, named: Set<string>): string {
  const kind = schema.types.get(name)?.kind
  if (kind === 'enum' || kind === 'input') {
    named.add(name)
    return name
  }
  return scalarTypes[name] ?? 'unknown'
}

/** `[User!]` around a type: `readonly User[] | null`. */
function wrapped(type: string, inner: string): string {
  if (!type.endsWith('!')) return `${wrapped(`${type}!`, inner)} | null`
  const nullable = type.slice(0, -1)
  if (!nullable.startsWith('[')) return inner
  const item = wrapped(nullable.slice(1, -1), inner)
  return `readonly ${/[|{]/.test(item) ? `(${item})` : item}[]`
}

interface Selected {
  field: FieldModel | null
  sets: SelectionSetNode[]
  /** Only there when a condition holds. */
  conditional: boolean
}

/**
 * Returns what selections on a type answer: one shape for objects, one for each possible object for interfaces and
 * unions.
 */
function selectionType(
  schema: SchemaModel,
  document: DocumentNode,
  typeName: string,
  sets: readonly SelectionSetNode[],
  named: Set<string>,
): string {
  const shapes = possibleTypes(schema, typeName).map((objectName) => {
    const selected = new Map<string, Selected>()
    for (const set of sets) collect(schema, document, objectName, set, selected, false)
    const fields = [...selected].map(([key, { field, sets: inner, conditional }]) => {
      if (!field) return property(key, `'${objectName}'`, conditional)
      const name = namedType(field.type)
      const type =
        inner.length > 0 ? selectionType(schema, document, name, inner, named) : leafType(schema, name, named)
      return property(
        key,
        wrapped(field.type, inner.length > 0 && type.includes(' | ') ? `(${type})` : type),
        conditional,
      )
    })
    return `{ ${fields.join('; ')} }`.replace('{  }', 'Record<string, never>')
  })
  return [...new Set(shapes)].join(' | ')
}

function collect(
  schema: SchemaModel,
  document: DocumentNode,
  objectName: string,
  set: SelectionSetNode,
  selected: Map<string, Selected>,
  conditional: boolean,
): void {
  for (const selection of set.selections) {
    const here =
      conditional ||
      (selection.directives ?? []).some(({ name }) => name.value === 'skip' || name.value === 'include')
    if (selection.kind === Kind.FIELD) {
      const key = selection.alias?.value ?? selection.name.value
      const known = selected.get(key)
      const field = schema.types.get(objectName)?.fields.get(selection.name.value) ?? null
      if (!known)
        selected.set(key, {
          field,
          sets: selection.selectionSet ? [selection.selectionSet] : [],
          conditional: here,
        })
      else {
        if (selection.selectionSet) known.sets.push(selection.selectionSet)
        known.conditional &&= here
      }
      continue
    }
    const fragment: FragmentDefinitionNode | undefined =
      selection.kind === Kind.FRAGMENT_SPREAD
        ? document.definitions.find(
            (node): node is FragmentDefinitionNode =>
              node.kind === Kind.FRAGMENT_DEFINITION && node.name.value === selection.name.value,
          )
        : undefined
    const condition =
      selection.kind === Kind.INLINE_FRAGMENT
        ? selection.typeCondition?.name.value
        : fragment?.typeCondition.name.value
    const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection.selectionSet : fragment?.selectionSet
    if (inner && (!condition || possibleTypes(schema, condition).includes(objectName)))
      collect(schema, document, objectName, inner, selected, here)
  }
}

function possibleTypes(schema: SchemaModel, typeName: string): string[] {
  const type = schema.types.get(typeName)
  if (type?.kind === 'union') return [...type.members]
  if (type?.kind !== 'interface') return [typeName]
  return [...schema.types.values()]
    .filter(({ kind, interfaces }) => kind === 'object' && interfaces.has(typeName))
    .map(({ name }) => name)
}

function typeText(node: TypeNode): string {
  if (node.kind === Kind.NAMED_TYPE) return node.name.value
  return node.kind === Kind.LIST_TYPE ? `[${typeText(node.type)}]` : `${typeText(node.type)}!`
}
