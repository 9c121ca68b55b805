import { parse, type DocumentNode } from 'graphql'
import type { Affected } from '../change'
import { Fault } from '../fault'
import type { SchemaModel } from '../schema-model'
import { ofAnyShape, readMarks } from './coordinates'
import { isRefused, mayBeLeftOut, type Form } from './forms'
import { complete, vocabularyOf, withoutMark } from './vocabulary'

/** Says how one version of one client used an operation within the time looked at. */
export interface ClientUsage {
  client: string
  version: string
  requests: number
  tenants: number
  /** ISO 8601, a day or an instant; the latest when known. */
  lastSeen: string
}

export interface OperationUsage {
  /** Hash of the operation's signature. */
  hash: string
  /** Its name; empty when it has none. */
  name: string
  /** Signature without literals; null when only coordinates were kept. */
  document: string | null
  /** Its marks (vocabulary.ts); null: to be read from the document. */
  coordinates: readonly string[] | null
  clients: ClientUsage[]
}

/** Describes what clients did in a stretch of time. */
export interface Usage {
  /** First day that was recorded completely, `YYYY-MM-DD`; null when the record does not say: it counts as complete. */
  from: string | null
  operations: OperationUsage[]
}

/** Numbers of operations, ascending. */
type Numbers = number[]

/**
 * Finds operations by what they use and how. Reads all of them at once: a check does so while another thread composes.
 * @param schema the one the operations were sent to
 * @throws Fault when one of them is no GraphQL
 */
export function usageIndex(
  usage: Usage,
  schema: SchemaModel,
): (affected: readonly Affected[]) => OperationUsage[] {
  const uses = new Map<string, Numbers>()
  const forms = new Map<string, Map<Form, Numbers>>()
  let number = 0

  function add(mark: string): void {
    const at = mark.indexOf('=')
    if (at < 0) return addTo(uses, mark, number)
    const coordinate = mark.slice(0, at)
    let known = forms.get(coordinate)
    if (!known) forms.set(coordinate, (known = new Map()))
    addTo(known, mark.slice(at + 1), number)
  }

  usage.operations.forEach((operation, index) => {
    number = index
    addMarks(schema, operation, add)
  })

  const sentAs = (coordinate: string, matches: (form: Form) => boolean) =>
    [...(forms.get(coordinate) ?? [])].flatMap(([form, numbers]) => (matches(form) ? numbers : []))
  function numbersOf(affected: Affected): Numbers {
    if (typeof affected === 'string') return uses.get(affected) ?? []
    if ('all' in affected) {
      const [first = [], ...others] = affected.all.map((mark) => new Set(uses.get(mark)))
      return [...first].filter((operation) => others.every((other) => other.has(operation)))
    }
    if ('omits' in affected)
      return [...(uses.get(withoutMark(affected.omits)) ?? []), ...sentAs(affected.omits, mayBeLeftOut)]
    const { sends, was, is, alike } = affected
    return sentAs(sends, (form) => isRefused(form, was, is, alike))
  }
  return (affected) =>
    [...new Set(affected.flatMap(numbersOf))]
      .sort((a, b) => a - b)
      .flatMap((found) => usage.operations[found] ?? [])
}

function addTo<Key>(numbers: Map<Key, Numbers>, key: Key, number: number): void {
  const known = numbers.get(key)
  if (!known) numbers.set(key, [number])
  else if (known[known.length - 1] !== number) known.push(number)
}

/** Returns what is known of an operation; what is not counts as used. */
function addMarks(schema: SchemaModel, operation: OperationUsage, add: (mark: string) => void): void {
  const { coordinates } = operation
  if (!coordinates) return readMarks(schema, parsed(operation), { sent: 'text', structure: true }, add)
  coordinates.forEach(add)
  const isComplete = coordinates.includes(complete)
  // A long document is cut off where it is recorded.
  const document = operation.document === null ? null : parsedOrNull(operation.document)
  if (document) readMarks(schema, document, { sent: isComplete ? 'none' : 'signature', structure: true }, add)
  else addStructure(schema, new Set(coordinates), add)
  if (isComplete) addUnheardOf(schema, new Set(coordinates), add)
  else addImplied(schema, new Set(coordinates), document !== null, add)
}

/** Leaves out what the schema did not have when the operation was recorded. */
function addUnheardOf(schema: SchemaModel, known: ReadonlySet<string>, add: (mark: string) => void): void {
  const vocabulary = vocabularyOf(schema)
  for (const mark of known) {
    const [typeName = '', member = ''] = mark.split('.')
    const owner = mark.endsWith('{}')
      ? vocabulary.input(mark.slice(0, -2))?.fields
      : mark.startsWith('@')
        ? vocabulary.directive(mark.slice(1))
        : vocabulary.field(typeName, member)?.args
    for (const { coordinate, without } of owner?.values() ?? [])
      if (!known.has(coordinate) && !known.has(withoutMark(coordinate))) add(without)
  }
}

/** Says how the parts of an operation may belong together of which only coordinates are known. */
function addStructure(schema: SchemaModel, known: ReadonlySet<string>, add: (mark: string) => void): void {
  const vocabulary = vocabularyOf(schema)
  for (const mark of known) {
    if (mark.startsWith('@')) {
      for (const location of schema.directives.get(mark.slice(1))?.locations ?? [])
        add(`${mark} on ${location}`)
      add(`${mark} twice`)
      continue
    }
    const [typeName = '', member = ''] = mark.split('.')
    if (member === '' && schema.types.has(typeName)) add(`$${typeName}`)
    const field = vocabulary.field(typeName, member)
    if (!field) continue
    add(typeName)
    add(field.result)
    add(`<${field.result}`)
    if (schema.types.get(typeName)?.kind === 'interface')
      for (const object of vocabulary.possible(typeName))
        [`~${object}`, `~${mark.replace(typeName, object)}`].forEach(add)
    for (const name of schema.types.get(field.result)?.fields.keys() ?? [])
      if (known.has(`${field.result}.${name}`)) add(`${mark}/${name}`)
    for (const other of known)
      if (other.startsWith(`${field.result}>`)) add(`${mark}/>${other.slice(field.result.length + 1)}`)
  }
}

/**
 * Returns what follows from coordinates that lack the marks about what was sent: `J` was sent when `J.y` was, and
 * nobody knows without which other fields.
 */
function addImplied(
  schema: SchemaModel,
  known: ReadonlySet<string>,
  hasDocument: boolean,
  add: (mark: string) => void,
): void {
  const vocabulary = vocabularyOf(schema)
  const listed = new Set([...known].map((mark) => mark.split('.')[0] ?? ''))
  function sent(typeName: string): void {
    add(typeName)
    ofAnyShape(schema, typeName).forEach(add)
    const { kind } = schema.types.get(typeName) ?? {}
    const isSilent = (kind === 'input' || kind === 'enum') && !listedMember(schema, typeName, known)
    // A record of the product's own has the fields that were sent; of others it may say nothing about any.
    if (!hasDocument && isSilent) vocabulary.anything(typeName).forEach(add)
  }
  for (const name of listed) if (schema.types.get(name)?.kind === 'input') sent(name)
  for (const mark of known) {
    const [, typeName = '', member = '', argument] = /^@?(\w+)(?:\.(\w+))?(?:\((\w+):\))?$/.exec(mark) ?? []
    const owner = mark.startsWith('@')
      ? vocabulary.directive(typeName)
      : vocabulary.field(typeName, member)?.args
    const input = argument ? owner?.get(argument) : vocabulary.input(typeName)?.fields.get(member)
    if (input) {
      sent(input.typeName)
      if (!argument || !hasDocument) add(`${mark}=*`)
    } else if (schema.types.get(typeName)?.values.has(member)) add(typeName)
    if (hasDocument || argument || !owner) continue
    for (const { coordinate, without } of owner.values()) if (!known.has(coordinate)) add(without)
  }
}

function listedMember(schema: SchemaModel, typeName: string, known: ReadonlySet<string>): boolean {
  const type = schema.types.get(typeName)
  return [...(type?.inputFields.keys() ?? []), ...(type?.values.keys() ?? [])].some((name) =>
    known.has(`${typeName}.${name}`),
  )
}

function parsed({ document, name, hash }: OperationUsage): DocumentNode {
  const found = parsedOrNull(document ?? '')
  if (found) return found
  throw new Fault(`The recorded operation ${name || hash} is no GraphQL: ${(document ?? '').slice(0, 80)}`)
}

function parsedOrNull(text: string): DocumentNode | null {
  try {
    return parse(text, { noLocation: true })
  } catch {
    return null
  }
}

/** The name of an operation: as recorded, or as its document says. */
export function nameOf({ name, document }: Pick<OperationUsage, 'name' | 'document'>): string {
  return name || (/^\s*(?:query|mutation|subscription)\s+(\w+)/.exec(document ?? '')?.[1] ?? '')
}
