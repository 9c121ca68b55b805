import { randomUUID } from 'node:crypto'
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isNonNullType,
  isObjectType,
  isRequiredInputField,
  type GraphQLInputField,
  type GraphQLSchema,
} from 'graphql'
import { decisions } from '../fixtures/decisions'
import type { SourceColumn, SourceEntity } from './sources'

/** The mutations that make a row of a type and change it. */
export interface Writer {
  create?: string
  update?: string
}

/** How each type is written that mutations write: derived from what their inputs name and their payloads hold. */
export function writersOf(api: GraphQLSchema): Readonly<Record<string, Writer>> {
  const writers: Record<string, Writer> = {}
  for (const { name, type: payload } of Object.values(api.getMutationType()!.getFields())) {
    const input = inputFields(api, name)
    const named = getNamedType(payload)
    for (const { type } of isObjectType(named) ? Object.values(named.getFields()) : []) {
      const writer = (writers[getNamedType(type).name] ??= {})
      if (name === `update${getNamedType(type).name}`) writer.update = name
      else if (
        !('id' in input) &&
        !(input['expectedVersion'] && isRequiredInputField(input['expectedVersion']))
      )
        writer.create ??= name
    }
  }
  return writers
}

/** One rule of the sources that a client could try to break. */
export interface Violation {
  /** Type.field kind */
  name: string
  type: string
  mutation: string
  /** The input field that breaks the rule. */
  input: string
  /** All inputs that have to be those of another row for it to be broken; else `value` breaks it. */
  taken?: readonly string[]
  value?: unknown
  code: 'INVALID' | 'DUPLICATE' | 'REFERENCE_NOT_FOUND'
  /** Whether the schema's own types refuse the value, before any resolver. */
  byType: boolean
}

/** Values outside the ranges that sources declare. */
const outOfRange: Readonly<Record<string, unknown>> = {
  'ComplianceRecord.riskScore': 101,
  'CustomerInteraction.occurredAt': '9000-01-01T00:00:00.000Z',
  'CustomerInteraction.sentimentConfidence': 1.5,
}

type Kind = 'maxLength' | 'unique' | 'references' | 'check' | 'notNull'

/**
 * Every rule that the sources declare for types that are written, as an attempt to break it. `unbreakable` are ranges,
 * lengths and keys of fields that no input has, because the product sets them. A missing value is tried where null can be
 * given; elsewhere the schema demands one.
 */
export function violations(
  api: GraphQLSchema,
  sources: readonly SourceEntity[],
  writers: Readonly<Record<string, Writer>>,
): { breakable: Violation[]; unbreakable: string[] } {
  const breakable = new Map<string, Violation>()
  const unbreakable = new Set<string>()
  for (const source of sources) {
    const writer = writers[source.type]
    for (const column of source.columns) {
      for (const kind of kindsOf(source, column)) {
        if (!writer || !column.field || `${source.name}.${column.name} ${kind}` in decisions) continue
        const name = `${source.type}.${column.field} ${kind}`
        const found = violation(api, writer, name, source, column, kind)
        if (found) breakable.set(name, found)
        else if (kind !== 'notNull') unbreakable.add(name)
      }
    }
  }
  return { breakable: [...breakable.values()], unbreakable: [...unbreakable].sort() }
}

function kindsOf(source: SourceEntity, column: SourceColumn): Kind[] {
  const kinds: Record<Kind, boolean> = {
    maxLength: column.maxLength !== undefined,
    unique: column.unique ?? source.unique.some((set) => firstOwn(source, set) === column.name),
    references: column.references !== undefined,
    check: column.check !== undefined || column.values !== undefined,
    notNull: column.notNull ?? false,
  }
  return (Object.keys(kinds) as Kind[]).filter((kind) => kinds[kind])
}

/** The inputs of the columns that are unique together, the tenant aside. */
function takenTogether(
  source: SourceEntity,
  column: SourceColumn,
  fields: Record<string, GraphQLInputField>,
): string[] {
  const set = column.unique
    ? [column.name]
    : source.unique.find((one) => firstOwn(source, one) === column.name)!
  return set.flatMap((name) => {
    const { field } = source.columns.find((one) => one.name === name)!
    return (field && inputOf(fields, field)) || []
  })
}

/** The column that a broken set is blamed on: its first, the tenant aside. */
const firstOwn = (source: SourceEntity, set: readonly string[]) =>
  set.find((name) => !source.columns.find((one) => one.name === name)!.reason?.startsWith('tenant'))

function violation(
  api: GraphQLSchema,
  writer: Writer,
  name: string,
  source: SourceEntity,
  column: SourceColumn,
  kind: Kind,
): Violation | null {
  const { type } = source
  const field = column.field!
  // Null is tried where it could be given: an omitted field of an update stays as it is.
  const mutations = [kind === 'notNull' ? undefined : writer.create, writer.update]
  for (const mutation of mutations) {
    const fields = mutation ? inputFields(api, mutation) : {}
    const input = inputOf(fields, field)
    if (!mutation || !input || (kind === 'notNull' && isNonNullType(fields[input]!.type))) continue
    const named = getNamedType(fields[input]!.type)
    const byType =
      (isEnumType(named) || isInputObjectType(named)) && (kind === 'maxLength' || kind === 'check')
    return { name, type, mutation, input, ...attempt(source, column, kind, fields), byType }
  }
  return null
}

function inputFields(api: GraphQLSchema, mutation: string): Record<string, GraphQLInputField> {
  const { args } = api.getMutationType()!.getFields()[mutation]!
  const input = args.find(({ name }) => name === 'input')
  const type = input && getNamedType(input.type)
  return isInputObjectType(type) ? type.getFields() : {}
}

/** The input of a field: a reference's is its id. */
const inputOf = (fields: Record<string, GraphQLInputField>, field: string) =>
  [field, `${field}Id`].find((one) => one in fields && one !== 'id')

function attempt(
  source: SourceEntity,
  column: SourceColumn,
  kind: Kind,
  fields: Record<string, GraphQLInputField>,
): Pick<Violation, 'taken' | 'value' | 'code'> {
  const field = `${source.type}.${column.field}`
  switch (kind) {
    case 'maxLength':
      // Longer than any of ours.
      return { value: 'x'.repeat(2_001), code: 'INVALID' }
    case 'unique':
      return { taken: takenTogether(source, column, fields), code: 'DUPLICATE' }
    case 'references':
      return { value: randomUUID(), code: 'REFERENCE_NOT_FOUND' }
    case 'notNull':
      return { value: null, code: 'INVALID' }
    case 'check':
      if (column.values) return { value: 'ANYTHING_ELSE', code: 'INVALID' }
      if (!(field in outOfRange))
        throw new Error(`${field}: say in test/contract/violations.ts what is out of range`)
      return { value: outOfRange[field], code: 'INVALID' }
  }
}
