import { Kind, type ValueNode } from 'graphql'
import type { TypeKind } from '../schema-model'
import { inputFits } from '../diff/type-references'

/**
 * The form in which something was sent, without its value:
 * - `$Int!` a variable of this type; `$Int=` one whose default is not null, `$Int==` one that was never null either
 * - `null`, `int`, `float`, `string`, `boolean`, `enum`, `object` a literal; `text` a string in a variable's value,
 *   which may be an enum value or an ID as well
 * - `[int]` an item of a list, `[]` an empty list
 * - `*` not known
 */
export type Form = string

/** Variables of an operation: their form where they stand. */
export type VariableForms = ReadonlyMap<string, Form>

const literals: Partial<Record<Kind, Form>> = {
  [Kind.NULL]: 'null',
  [Kind.INT]: 'int',
  [Kind.FLOAT]: 'float',
  [Kind.STRING]: 'string',
  [Kind.BOOLEAN]: 'boolean',
  [Kind.ENUM]: 'enum',
  [Kind.OBJECT]: 'object',
}

/** The forms of a literal: several for a list of unlike items. */
export function formsOfLiteral(value: ValueNode, variables: VariableForms): Form[] {
  if (value.kind === Kind.VARIABLE) return [variables.get(value.name.value) ?? '*']
  if (value.kind !== Kind.LIST) return [literals[value.kind] ?? '*']
  return inList(value.values.flatMap((item) => formsOfLiteral(item, variables)))
}

/** The forms of a variable's value, or of something inside it. */
export function formsOfValue(value: unknown): Form[] {
  if (Array.isArray(value)) return inList((value as unknown[]).flatMap(formsOfValue))
  if (value === null) return ['null']
  if (typeof value === 'number') return [Number.isInteger(value) ? 'int' : 'float']
  if (typeof value === 'string') return ['text']
  return [typeof value]
}

function inList(items: readonly Form[]): Form[] {
  return items.length === 0 ? ['[]'] : [...new Set(items)].map((form) => `[${form}]`)
}

/** A place where something is sent. */
export interface Position {
  type: string
  hasDefault: boolean
  /** Of the named type. */
  kind: TypeKind
}

/** Describes what becomes of something sent: always taken, taken unless it turns out to be null, refused. */
type Taken = 2 | 1 | 0

/**
 * Tells whether something that was taken is refused, or may be. @param alike what the old named type held is in the new
 * one
 */
export function isRefused(form: Form, was: Position, is: Position, alike: boolean): boolean {
  return form === '*' || form === '[*]' || taken(form, is, alike) < taken(form, was, true)
}

/** Tells whether a form may be nothing at all, so that the default applies. */
export function mayBeLeftOut(form: Form): boolean {
  return form === '*' || (form.startsWith('$') && !form.endsWith('!') && !form.endsWith('='))
}

function taken(form: Form, { type, hasDefault, kind }: Position, alike: boolean): Taken {
  const required = type.endsWith('!')
  const bare = required ? type.slice(0, -1) : type
  if (form.startsWith('$')) {
    const hasOwn = form.endsWith('=')
    const variable = form.slice(1).replace(/=+$/, '')
    if (!required || variable.endsWith('!')) return inputFits(variable, type) ? 2 : 0
    if (!inputFits(variable, bare) || !(hasDefault || hasOwn)) return 0
    return form.endsWith('==') ? 2 : 1
  }
  if (form === 'null') return required ? 0 : 2
  const inside = { type: bare.slice(1, -1), hasDefault: false, kind }
  if (form.startsWith('[')) {
    if (!bare.startsWith('[')) return kind === 'scalar' && !(bare in builtIn) ? 2 : 0
    return form === '[]' ? 2 : taken(form.slice(1, -1), inside, alike)
  }
  // One value where a list is expected is a list of one.
  if (bare.startsWith('[')) return taken(form, inside, alike)
  if (kind === 'input') return form === 'object' && alike ? 2 : 0
  if (kind === 'enum') return (form === 'enum' || form === 'text') && alike ? 2 : 0
  return !(bare in builtIn) || builtIn[bare]?.includes(form) ? 2 : 0
}

const builtIn: Readonly<Record<string, readonly Form[]>> = {
  Int: ['int'],
  Float: ['int', 'float'],
  String: ['string', 'text'],
  Boolean: ['boolean'],
  ID: ['string', 'text', 'int'],
}
