import {
  buildSchema,
  GraphQLEnumType,
  GraphQLScalarType,
  isAbstractType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
  responsePathAsArray,
  type GraphQLField,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
} from 'graphql'

const sdl = `
  enum Size { SMALL LARGE }
  scalar Odd
  interface Node { id: ID! next: Node }
  interface Named implements Node { id: ID! next: Node name(upper: Boolean = false): String }
  type A implements Node & Named {
    id: ID! next: Node name(upper: Boolean = false): String
    int: Int int1: Int! float: Float yes: Boolean! size: Size odd: Odd
    ints: [Int] ints1: [Int!] matrix: [[Int!]]! sizes: [Size]
    b: B! bs(first: Int! = 2, size: Size): [B!]! maybe: [B] either: Either eithers: [Either!]
  }
  type B implements Node { id: ID! next: Node text(a: String, b: ID = "z"): String! a: A as: [A!] named: Named nodes: [Node]! }
  type C implements Node & Named { id: ID! next: Node name(upper: Boolean = false): String odd: Odd! deep: [[A]] }
  union Either = A | B | C
  type Query { a: A b: B! node(id: ID): Node! nodes(first: Int): [Node!] either: Either! eithers: [[Either]!] count(of: Size! = SMALL): Int }
  type Mutation { add(n: Int! = 1): A remove(id: ID!): Either! count: Int! }`

/** One resolver call: what it was told. */
export type Call = unknown[]

/** What resolvers of an execution get as their context. */
export interface World {
  seed: number
  calls: Call[]
}

/** A number from 0 to below 1 that depends on the text alone (FNV-1a, mixed). */
function chance(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32
}
const pick = <T>(text: string, of: readonly T[]): T => of[Math.floor(chance(text) * of.length)]!

/** A schema in which half of the fields are properties, and each value is whatever its place and the seed make of it. */
export function unreliableSchema(): GraphQLSchema {
  const schema = buildSchema(sdl)
  const odd = schema.getType('Odd') as GraphQLScalarType<unknown, unknown>
  odd.serialize = (value) => {
    if (value === 1) throw new Error('odd refuses 1')
    return value === 2 ? null : { odd: value }
  }
  const possible = (name: string) => {
    const type = schema.getType(name)
    return isAbstractType(type) ? schema.getPossibleTypes(type).map((one) => one.name) : [name]
  }

  /** A value, or something else in its place. `at` says where. */
  function outcome(world: World, at: string, of: () => unknown): unknown {
    const roll = chance(`${world.seed} ${at} outcome`)
    if (roll < 0.62) return of()
    if (roll < 0.66) return null
    if (roll < 0.68) return undefined
    if (roll < 0.72) throw new Error(`thrown at ${at}`)
    if (roll < 0.74) throw `text thrown at ${at}` as unknown as Error
    if (roll < 0.77) return new Error(`returned at ${at}`)
    const later = () => (roll < 0.94 ? of() : roll < 0.97 ? new Error(`late error at ${at}`) : reject(at))
    const pending = waiting(pick(`${world.seed} ${at} ticks`, [0, 0, 1, 2, 3, 5, -1]), later)
    // Handled here, as an execution may never look at it; what the execution makes of it is not.
    pending.catch(() => undefined)
    return pending
  }
  function reject(at: string): never {
    throw new Error(`rejected at ${at}`)
  }

  function valueOf(world: World, type: GraphQLOutputType, at: string): unknown {
    const roll = chance(`${world.seed} ${at}`)
    if (isNonNullType(type)) return valueOf(world, type.ofType, at)
    if (isListType(type)) {
      if (roll < 0.03) return pick(at, ['no list', 7, { length: 1 }])
      const items = Array.from({ length: Math.floor(roll * 4) }, (_, index) => index)
      // An error cannot be thrown for an item, other than by an iterator that ends with it.
      const item = (index: number) => {
        try {
          return outcome(world, `${at}.${index}`, () => valueOf(world, type.ofType, `${at}.${index}`))
        } catch (error) {
          return error
        }
      }
      if (roll > 0.97)
        return (function* () {
          for (const index of items) yield item(index)
          throw new Error(`iterator ended at ${at}`)
        })()
      const iterable = {
        *[Symbol.iterator]() {
          for (const index of items) yield item(index)
        },
      }
      return roll > 0.93 ? iterable : items.map(item)
    }
    if (isLeafType(type)) return leafOf(world, type.name, at)
    return objectOf(world, pick(`${world.seed} ${at} type`, possible(type.name)), at)
  }

  function leafOf(world: World, name: string, at: string): unknown {
    const text = `${world.seed} ${at} leaf`
    const values: Record<string, unknown[]> = {
      Int: [1, 2, 3, 0, -0, true, '4', '', 1.5, 2 ** 40, NaN, { valueOf: () => 5 }],
      Float: [1, 1.5, -2, true, '4.5', 'x', Infinity],
      String: ['s', 't', 'u', '', 7, true, { toString: () => 's' }, { valueOf: () => 'v' }, NaN],
      ID: ['i', 'j', 3, 2n ** 70n, 1.5, { toString: () => 'i' }],
      Boolean: [true, false, 0, 2, 'true', NaN],
      Size: ['SMALL', 'LARGE', 'HUGE', 3],
      Odd: [0, 1, 2, 'x', new Date(0)],
    }
    return pick(text, values[name]!)
  }

  /** An object whose properties are its fields, found when they are read. */
  function objectOf(world: World, name: string, at: string): object {
    const type = schema.getType(name)
    const fields = isObjectType(type) ? type.getFields() : {}
    return new Proxy(
      { at },
      {
        get(target, key) {
          if (key === 'at') return target.at
          if (key === '__typename') return chance(`${world.seed} ${at} name`) < 0.9 ? name : 'Query'
          const field = typeof key === 'string' ? fields[key] : undefined
          if (!field || field.resolve) return undefined
          const place = `${at}.${field.name}`
          const value = () => outcome(world, place, () => valueOf(world, field.type, place))
          if (chance(`${world.seed} ${place} method`) > 0.15) return value()
          return (args: unknown, context: World, info: GraphQLResolveInfo) => {
            context.calls.push(callOf('method', args, info))
            return value()
          }
        },
      },
    )
  }

  function resolver(field: GraphQLField<unknown, World>) {
    return (parent: { at?: string } | undefined, args: object, world: World, info: GraphQLResolveInfo) => {
      world.calls.push(callOf(parent?.at, args, info))
      const at = `${parent?.at ?? ''}.${field.name}${JSON.stringify(args)}`
      return outcome(world, at, () => valueOf(world, field.type, at))
    }
  }

  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue
    if (isObjectType(type)) {
      const isRoot = type.name === 'Query' || type.name === 'Mutation'
      for (const field of Object.values(type.getFields())) {
        if (isRoot || chance(`${type.name}.${field.name}!`) < 0.5) field.resolve = resolver(field) as never
      }
      if (type.name === 'C')
        type.isTypeOf = (value, world: World) => {
          const { at } = value as { at: string }
          const roll = chance(`${world.seed} ${at} is`)
          return roll < 0.5 ? true : roll < 0.9 ? Promise.resolve(true) : roll < 0.95 ? false : reject(at)
        }
    }
    if (isInterfaceType(type))
      type.resolveType = (value, world: World) => {
        const { __typename, at } = value as { __typename: string; at: string }
        const roll = chance(`${world.seed} ${at} resolve`)
        if (roll < 0.5) return __typename
        if (roll < 0.9) return Promise.resolve(__typename)
        return pick(at, ['Query', 'Size', 'Nothing', undefined, 7 as unknown as string, type as never])
      }
    if (isUnionType(type)) type.resolveType = undefined
    if (type instanceof GraphQLEnumType) void type.getValues()
  }
  return schema
}

/** What a resolver can learn, as text and as the objects that must be the document's own. */
function callOf(parent: unknown, args: unknown, info: GraphQLResolveInfo): Call {
  const typenames: unknown[] = []
  for (let path: GraphQLResolveInfo['path'] | undefined = info.path; path; path = path.prev)
    typenames.push(path.typename)
  return [
    parent,
    JSON.stringify(args),
    info.fieldName,
    responsePathAsArray(info.path).join('.'),
    typenames.join(),
    ...info.fieldNodes,
    info.returnType,
    info.parentType,
    info.schema,
    info.operation,
    info.rootValue,
    JSON.stringify(info.variableValues),
    Object.keys(info.fragments).join(),
  ]
}

/** What `of` gives after so many turns of the microtask queue; -1 is after all of them. */
async function waiting(ticks: number, of: () => unknown): Promise<unknown> {
  if (ticks < 0) await new Promise(setImmediate)
  for (let i = 0; i < ticks; i++) await null
  return of()
}
