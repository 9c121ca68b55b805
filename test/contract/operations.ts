import {
  getNamedType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  parse,
  validate,
  type DocumentNode,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLOutputType,
  type GraphQLSchema,
} from 'graphql'
import { sampleOfScalar } from '../../kernel/schema/scalar-samples'

/** Everything below a type to the given depth, as a selection set; empty for a scalar. */
export function selectionOf(type: GraphQLOutputType, depth: number): string {
  return selectionsOf(type, depth, Infinity)[0]!
}

/** The same in several selection sets, each of which has at most so many names. */
export function selectionsOf(type: GraphQLOutputType, depth: number, most: number): string[] {
  const named = getNamedType(type)
  if (!isCompositeType(named)) return ['']
  if (!isObjectType(named) || depth === 0) return ['{ __typename }']
  const parts = ['']
  for (const field of Object.values(named.getFields())) {
    if (field.args.some(isRequiredArgument) || (depth === 1 && isCompositeType(getNamedType(field.type))))
      continue
    const text = ` ${field.name}${rowsOf(field)} ${selectionOf(field.type, depth - 1)}`
    if (namesIn(parts.at(-1)! + text) > most) parts.push('')
    parts[parts.length - 1] += text
  }
  return parts.map((fields) => `{ __typename${fields} }`)
}
const namesIn = (text: string): number => text.match(/\w+/g)?.length ?? 0

/** What must be given, and small pages, so that a deep selection stays within the cost limit. */
export function rowsOf(field: GraphQLField<unknown, unknown>): string {
  const given = field.args
    .filter(isRequiredArgument)
    .map(({ name, type }) => `${name}: ${inputValue(type, name, () => '""')}`)
  if (field.args.some(({ name }) => name === 'first')) given.push('first: 2')
  return given.length > 0 ? `(${given.join(', ')})` : ''
}

/**
 * A valid value of an input type as GraphQL text: `ids` gives the text of every id it holds. Null when the type is
 * optional.
 */
export function inputValue(type: GraphQLInputType, name: string, ids: (name: string) => string): string {
  if (isNonNullType(type)) return inputValue(type.ofType, name, ids)
  if (isListType(type)) return `[${inputValue(type.ofType, name, ids)}]`
  const named = getNamedType(type)
  if (isInputObjectType(named)) {
    const fields = Object.values(named.getFields()).filter(
      (field) => isNonNullType(field.type) || getNamedType(field.type).name === 'ID',
    )
    return `{ ${fields.map((field) => `${field.name}: ${inputValue(field.type, field.name, ids)}`).join(', ')} }`
  }
  if (isEnumType(named)) return named.getValues()[0]!.name
  return named.name === 'ID' ? ids(name) : literal(sampleOfScalar(named.name))
}

/** A sample as GraphQL text: none of them has keys. */
const literal = (value: unknown): string => JSON.stringify(value)

/**
 * A document that was made here, parsed.
 * @throws Error with the document and what is wrong, where a sample does not fit the schema: far from here it would look
 *   like a denial
 */
export function validDocument(schema: GraphQLSchema, text: string): DocumentNode {
  const document = parse(text)
  const faults = validate(schema, document).map(({ message }) => message)
  if (faults.length > 0) throw new Error(`A sample does not fit the schema:\n${faults.join('\n')}\n${text}`)
  return document
}

/** Every UUID anywhere in an answer. */
export function idsIn(answer: unknown): Set<string> {
  const found = JSON.stringify(answer).match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi) ?? []
  return new Set(found.map((id) => id.toLowerCase()))
}
