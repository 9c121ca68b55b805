import { Kind, parse, type ConstValueNode, type FieldNode, type SelectionSetNode } from 'graphql'
import type { ArgumentModel, SchemaModel } from '../schema-model'
import { canonical } from '../versions/store'
import type { Schemas } from './schemas'

type Input = Pick<ArgumentModel, 'type' | 'node'>

/**
 * Tells whether leaving an input out means the same before and after, however the default is written.
 * @param inside defaults inside the default count too
 */
export function sameDefault({ from, to }: Schemas, before: Input, after: Input, inside = false): boolean {
  const [was, is] = [before.node.defaultValue, after.node.defaultValue]
  if (!was || !is) return was === is
  const same = (filled: boolean) =>
    canonical(valueOf(from, before.type, was, filled)) === canonical(valueOf(to, after.type, is, filled))
  // Written alike, with other defaults inside: told where those stand.
  return (!inside && same(false)) || same(true)
}

/**
 * Returns what a literal means where a type is expected.
 * @param filled with the defaults of input fields that it leaves out
 */
function valueOf(schema: SchemaModel, type: string, node: ConstValueNode, filled: boolean): unknown {
  const bare = type.replace(/!$/, '')
  if (node.kind === Kind.NULL) return null
  if (bare.startsWith('[')) {
    const items = node.kind === Kind.LIST ? node.values : [node]
    return items.map((item) => valueOf(schema, bare.slice(1, -1), item, filled))
  }
  const fields = schema.types.get(bare)?.kind === 'input' ? schema.types.get(bare)?.inputFields : undefined
  if (node.kind === Kind.LIST) return node.values.map((item) => valueOf(schema, bare, item, filled))
  if (node.kind === Kind.OBJECT) {
    const known = new Map<string, unknown>()
    if (filled)
      for (const { name, type: inner, node: input } of fields?.values() ?? [])
        if (input.defaultValue) known.set(name, valueOf(schema, inner, input.defaultValue, filled))
    for (const { name, value } of node.fields)
      known.set(name.value, valueOf(schema, fields?.get(name.value)?.type ?? '', value, filled))
    return Object.fromEntries(known)
  }
  if (node.kind === Kind.BOOLEAN) return node.value
  if (node.kind === Kind.STRING || node.kind === Kind.ENUM)
    // Where the type tells, an enum value is no text.
    return bare === 'ID' || node.kind === Kind.STRING ? node.value : { enum: node.value }
  return bare === 'ID' ? node.value : { number: canonicalNumber(node.value) }
}

/** `1`, `1.0`, `10e-1` → `1e0`: without loss, whatever its size. */
export function canonicalNumber(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const short = digits.replace(/0+$/, '')
  if (short === '') return '0'
  return `${sign}${short}e${Number(exponent) - fraction.length + digits.length - short.length}`
}

/** A set of fields, as keys and requirements name them, in one order and one layout. As written when it is none. */
export function canonicalFields(text: string): string {
  try {
    const [operation] = parse(`{${text}}`, { noLocation: true }).definitions
    return operation?.kind === Kind.OPERATION_DEFINITION ? fieldsOf(operation.selectionSet) : text
  } catch {
    return text
  }
}

function fieldsOf({ selections }: SelectionSetNode): string {
  const texts = selections.map((selection) => {
    const inside = 'selectionSet' in selection && selection.selectionSet
    const nested = inside ? ` { ${fieldsOf(inside)} }` : ''
    if (selection.kind === Kind.INLINE_FRAGMENT)
      return `... on ${selection.typeCondition?.name.value ?? ''}${nested}`
    return selection.kind === Kind.FIELD ? `${fieldText(selection)}${nested}` : selection.name.value
  })
  return [...new Set(texts)].sort().join(' ')
}

function fieldText({ name, arguments: args }: FieldNode): string {
  if (!args?.length) return name.value
  const given = args.map(
    (argument) => `${argument.name.value}: ${canonical(plainValue(argument.value as ConstValueNode))}`,
  )
  return `${name.value}(${given.sort().join(', ')})`
}

const untyped: SchemaModel = {
  roots: {},
  types: new Map(),
  directives: new Map(),
  schemaDirectives: new Map(),
  subgraphs: new Map(),
  context: null,
}

/** A literal of which no type is known. */
function plainValue(node: ConstValueNode): unknown {
  return valueOf(untyped, '', node, false)
}
