import { randomUUID } from 'node:crypto'
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isNonNullType,
  type GraphQLInputField,
  type GraphQLSchema,
} from 'graphql'
import { decisions } from '../fixtures/decisions'
import type { SourceColumn, SourceEntity } from './sources'

/** How a type is written: its mutations, and an input that is accepted each time. */
export interface Writer {
  create?: { mutation: string; input: () => Record<string, unknown> }
  update?: string
}

/** One rule of the sources that a client could try to break. */
export interface Violation {
  /** Type.field kind */
  name: string
  type: string
  mutation: string
  /** The input field that breaks the rule. */
  input: string
  /** What breaks it; undefined: the value of a row that exists. */
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

/** The column that a broken set is blamed on: its first, the tenant aside. */
const firstOwn = (source: SourceEntity, set: readonly string[]) =>
  set.find((name) => !source.columns.find((one) => one.name === name)!.reason?.startsWith('tenant'))

function violation(
  api: GraphQLSchema,
  writer: Writer,
  name: string,
  { type }: SourceEntity,
  column: SourceColumn,
  kind: Kind,
): Violation | null {
  const field = column.field!
  // Null is tried where it could be given: an omitted field of an update stays as it is.
  const mutations = [kind === 'notNull' ? undefined : writer.create?.mutation, writer.update]
  for (const mutation of mutations) {
    const fields = mutation ? inputFields(api, mutation) : {}
    const input = [field, `${field}Id`].find((one) => one in fields && one !== 'id')
    if (!mutation || !input || (kind === 'notNull' && isNonNullType(fields[input]!.type))) continue
    const named = getNamedType(fields[input]!.type)
    const byType =
      (isEnumType(named) || isInputObjectType(named)) && (kind === 'maxLength' || kind === 'check')
    return { name, type, mutation, input, ...attempt(`${type}.${field}`, column, kind), byType }
  }
  return null
}

function inputFields(api: GraphQLSchema, mutation: string): Record<string, GraphQLInputField> {
  const { args } = api.getMutationType()!.getFields()[mutation]!
  const input = args.find(({ name }) => name === 'input')!
  const type = getNamedType(input.type)
  return isInputObjectType(type) ? type.getFields() : {}
}

function attempt(field: string, column: SourceColumn, kind: Kind): Pick<Violation, 'value' | 'code'> {
  switch (kind) {
    case 'maxLength':
      // Longer than any of ours.
      return { value: 'x'.repeat(2_001), code: 'INVALID' }
    case 'unique':
      return { code: 'DUPLICATE' }
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
