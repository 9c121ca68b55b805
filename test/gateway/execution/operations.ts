import {
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isNonNullType,
  parse,
  validate,
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
} from 'graphql'

export interface Generated {
  query: string
  variables: Record<string, unknown>
}

/** Numbers from 0 to below 1 that depend on the seed alone (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface Choice {
  /** What fields are renamed to; the fewer, the more fields merge. */
  aliases: readonly string[]
  /** Fields that are not asked for. */
  without?: readonly string[]
}

/**
 * A valid operation with fragments, aliases, conditions, arguments and variables; the same for the same seed.
 */
export function generateOperation(schema: GraphQLSchema, seed: number, choice: Choice): Generated {
  for (let attempt = 0; ; attempt++) {
    const generated = attemptOperation(schema, random(seed * 1000 + attempt), choice)
    if (validate(schema, parse(generated.query)).length === 0) return generated
  }
}

function attemptOperation(
  schema: GraphQLSchema,
  next: () => number,
  { aliases, without = [] }: Choice,
): Generated {
  const chance = (of: number) => next() < of
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)]!
  const variables: Record<string, unknown> = {}
  const declared: string[] = []
  const fragments: { name: string; type: GraphQLCompositeType; text: string }[] = []

  function variable(type: string, values: readonly unknown[], fallback?: string): string {
    const name = `v${declared.length}`
    const omitted = fallback !== undefined && chance(0.4)
    declared.push(`$${name}: ${type}${fallback === undefined ? '' : ` = ${fallback}`}`)
    if (!omitted) variables[name] = pick(values)
    return `$${name}`
  }

  function argument({ name, type }: GraphQLArgument): string {
    const named = getNamedType(type)
    const values: unknown[] = isEnumType(named)
      ? named.getValues().map((value) => value.name)
      : { Int: [1, 2, 3], ID: ['p1', 'p2', 'b1', 'b3'], String: ['x', 'y'], Boolean: [true, false] }[
          named.name
        ]!
    const literal = (value: unknown) => (isEnumType(named) ? String(value) : JSON.stringify(value))
    if (chance(0.6)) return `${name}: ${literal(pick(values))}`
    return `${name}: ${variable(String(type), values, chance(0.5) ? literal(pick(values)) : undefined)}`
  }

  function condition(): string {
    if (!chance(0.12)) return ''
    const value = chance(0.3)
      ? String(chance(0.5))
      : variable('Boolean!', [true, false], chance(0.3) ? 'true' : undefined)
    return ` @${pick(['skip', 'include'])}(if: ${value})`
  }

  function field({ name, args, type }: GraphQLField<unknown, unknown>, depth: number): string {
    const given = args.filter(
      (arg) => (isNonNullType(arg.type) && arg.defaultValue === undefined) || chance(0.4),
    )
    const alias = chance(0.25) ? `${pick(aliases)}: ` : ''
    const below = getNamedType(type)
    const text = `${alias}${name}${given.length > 0 ? `(${given.map(argument).join(', ')})` : ''}${condition()}`
    return isCompositeType(below) ? `${text} ${selections(below, depth - 1)}` : text
  }

  /** The types of objects that may be of this type too, and interfaces that hold for them. */
  function overlapping(type: GraphQLCompositeType): GraphQLCompositeType[] {
    const objects = isAbstractType(type) ? schema.getPossibleTypes(type) : [type]
    return [...new Set(objects.flatMap((object) => [object, ...object.getInterfaces()]))]
  }

  function selection(type: GraphQLCompositeType, depth: number): string {
    const fields = 'getFields' in type ? Object.values(type.getFields()) : []
    const usable = fields.filter(
      (candidate) =>
        !without.includes(candidate.name) && (depth > 0 || !isCompositeType(getNamedType(candidate.type))),
    )
    const abstract = isAbstractType(type)
    if (depth > -2 && (usable.length === 0 || chance(abstract ? 0.4 : 0.12))) {
      const condition_ = condition()
      if (chance(0.15)) return `...${condition_} ${selections(type, depth - 1)}`
      const on = pick(overlapping(type))
      const known = fragments.filter((fragment) => overlapping(type).includes(fragment.type))
      if (known.length > 0 && chance(0.3)) return `...${pick(known).name}${condition_}`
      const text = selections(on, depth - 1)
      if (chance(0.7)) return `... on ${on.name}${condition_} ${text}`
      const name = `F${fragments.length}`
      fragments.push({ name, type: on, text: `fragment ${name} on ${on.name} ${text}` })
      return `...${name}${condition_}`
    }
    if (usable.length === 0 || chance(0.08)) return `${chance(0.3) ? 'kind: ' : ''}__typename`
    return field(pick(usable), depth)
  }

  function selections(type: GraphQLCompositeType, depth: number): string {
    const count = 1 + Math.floor(next() * 3)
    return `{ ${Array.from({ length: count }, () => selection(type, depth)).join(' ')} }`
  }

  const isMutation = chance(0.12)
  const root = (isMutation ? schema.getMutationType() : schema.getQueryType())!
  let text = selections(root, 3)
  if (!isMutation && chance(0.04))
    text = text.replace(
      '{',
      '{ __type(name: "Product") { name fields { name } } __schema { queryType { ...Q } }',
    )
  if (text.includes('...Q'))
    fragments.push({ name: 'Q', type: root, text: 'fragment Q on __Type { kind name }' })
  const head = `${isMutation ? 'mutation' : 'query'}${declared.length > 0 ? ` Q(${declared.join(', ')})` : ''}`
  return { query: [`${head} ${text}`, ...fragments.map((fragment) => fragment.text)].join('\n'), variables }
}
