import { ApolloGateway } from '@apollo/gateway'
import { buildSubgraphSchema } from '@apollo/subgraph'
import type { GraphQLResolverMap } from '@apollo/subgraph/dist/schema-helper'
import {
  execute,
  getOperationAST,
  GraphQLError,
  isAbstractType,
  isObjectType,
  parse,
  type ExecutionResult,
  type GraphQLFieldResolver,
  type GraphQLFormattedError,
  type GraphQLSchema,
} from 'graphql'
import pino from 'pino'
import { compose } from '../../../registry/composition/compose'
import type { SubgraphDataSource } from '../../../gateway/context'
import { planExecution } from '../../../gateway/execution/executor'
import { preparedOperations } from '../../../gateway/execution/prepared-operations'
import { overrideApolloVariables } from '../../../kernel/process/config'
import {
  createPlanner,
  type Executor,
  type GatewayRequest,
  type Planner,
} from '../../../gateway/execution/query-plan'
import { plannable } from '../../../gateway/supergraph-source'
import { planHere } from '../../../gateway/plans/plan-here'
import { createPlans } from '../../../gateway/plans/plans'

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable",
  "@external", "@requires", "@provides", "@override", "@interfaceObject"])`

/** A federation with everything a plan can hold. */
export const typeDefs = {
  catalog: `${link}
    type Query {
      products(first: Int = 3): [Product!]
      product(id: ID!): Product
      item(id: ID! = "b1"): Item
      items: [Item]
      search(kind: Kind = ANY): [Found!]
      firm: Firm! @shareable
    }
    type Mutation { relabel(id: ID!, label: String!): Product  withdraw(id: ID!): Item! }
    enum Kind { ANY PRODUCTS OTHERS }
    enum Currency { EUR USD }
    enum Unit { KG LB }
    interface Named { name: String }
    interface Item implements Named @key(fields: "id") { id: ID! name: String maker: Maker }
    type Product implements Item & Named @key(fields: "id") {
      id: ID!
      name: String
      maker: Maker
      price(currency: Currency = EUR): Int
      weight(unit: Unit = KG): Int
      size: Size! @shareable
      fragile: String!
      related(first: Int = 2): [Item!]
      grid: [[Size]!]
      kinds: [Kind!]
      alternative: Product
    }
    type Bundle implements Item & Named @key(fields: "id") {
      id: ID!
      name: String
      maker: Maker!
      parts: [Product!]!
      fragile(deep: Boolean): Boolean
      wrapped: Found
    }
    union Found = Product | Bundle | Maker
    type Maker implements Named @key(fields: "id") @key(fields: "code") {
      id: ID!
      code: String!
      name: String
      country: String
      best: Found
      products: [Product]
      secret: String
    }
    type Firm @shareable { motto: String size: Size! }
    type Size @shareable { width: Int height: Int! }`,
  stock: `${link}
    type Query { warehouses: [Warehouse!]! }
    enum Currency { EUR USD }
    enum Unit { KG LB }
    type Product @key(fields: "id") {
      id: ID!
      price(currency: Currency = EUR): Int @external
      weight(unit: Unit = KG): Int @external
      maker: Maker @external
      size: Size! @shareable
      shipping: Int @requires(fields: "price(currency: USD) weight(unit: KG)")
      tax: Int @requires(fields: "price(currency: EUR)")
      duty: Int! @requires(fields: "weight(unit: KG) maker { country }")
      inStock: Boolean!
      warehouse: Warehouse
      warehouses: [Warehouse!]
    }
    type Maker @key(fields: "code") { code: String! country: String @external secret: String @override(from: "catalog") }
    type Warehouse @key(fields: "id") { id: ID! city: String products(first: Int): [Product!]! size: Size @shareable }
    type Size @shareable { width: Int height: Int! }`,
  reviews: `${link}
    type Query { topReviews(first: Int = 3): [Review]  user: User }
    type Mutation { review(id: ID!, stars: Int = 3): Review }
    type Item @key(fields: "id") @interfaceObject {
      id: ID!
      name: String @external
      reviews(first: Int = 2): [Review!]!
      score: Float
      headline: String @requires(fields: "name")
    }
    type Review @key(fields: "id") { id: ID! body: String stars: Int! item: Item author: User @provides(fields: "handle") }
    type User @key(fields: "id") { id: ID! handle: String @external reviews: [Review] }`,
  users: `${link}
    type Query { me: User  users(first: Int = 2): [User!]!  firm: Firm! @shareable }
    type Mutation { rename(id: ID!, name: String!): User }
    type User @key(fields: "id") {
      id: ID!
      handle: String @shareable
      name(upper: Boolean = false): String
      mail: String!
      friends: [User!]
      boss: User
      favourite: Product
    }
    type Product @key(fields: "id", resolvable: false) { id: ID! }
    type Firm @shareable { motto: String size: Size! }
    type Size @shareable { width: Int height: Int! }`,
}

/** An object, by its id; the first letter of the id is its type. What a subgraph was told of it stands beside. */
interface Row extends Record<string, unknown> {
  id: string
}

export interface World {
  /** What mutations changed. */
  labels: Map<string, string>
  /** The subgraph of each call with the number of representations, in order; `2+3` where two fetches are one call. */
  calls: string[]
  /** Whether fields fail and are null here and there. */
  failing: boolean
  /** What a subgraph answers instead; undefined: as ever. */
  instead?: (subgraph: string, query: string) => unknown
}

const typeByLetter: Readonly<Record<string, string>> = {
  p: 'Product',
  b: 'Bundle',
  m: 'Maker',
  w: 'Warehouse',
  r: 'Review',
  u: 'User',
  s: 'Size',
  f: 'Firm',
}

function hashOf(text: string): number {
  let hash = 7
  for (const letter of text) hash = (hash * 31 + letter.charCodeAt(0)) >>> 0
  return (hash ^ (hash >>> 13)) >>> 0
}

const refer = (letter: string, seed: string, count: number, max = 6): Row[] =>
  Array.from({ length: count }, (_, index) => ({ id: `${letter}${(hashOf(seed + index) % max) + 1}` }))

/** What a field of an object is, the same in whichever subgraph it is asked for. */
function truth(world: World, id: string, field: string, args: Record<string, unknown>, told: Row): unknown {
  const at = `${id}.${field}`
  const many = (letter: string, count = Number(args['first'] ?? 2)) => refer(letter, at, Math.min(count, 5))
  const one = (letter: string) => refer(letter, at, 1)[0]
  const price = (currency: unknown) => (hashOf(`${id}price`) % 90) * (currency === 'USD' ? 2 : 1)
  const weight = (unit: unknown) => (hashOf(`${id}weight`) % 50) * (unit === 'LB' ? 3 : 1)
  const country = (maker: string) => ['DE', 'FR', null][hashOf(`${maker}country`) % 3]
  if (world.failing) {
    const chance = hashOf(`${at}!`) % 17
    if (chance === 0) throw new GraphQLError(`${at} failed`, { extensions: { code: 'FORBIDDEN' } })
    if (chance === 1) throw new Error(`${at} broke`)
    if (chance === 2) return null
  }
  switch (field) {
    case 'id':
      return id
    case 'products':
      return many('p')
    case 'items':
      return [...refer('p', at, 2), null, ...refer('b', at, 2)]
    case 'search':
      return [...refer('p', at, 2), ...refer('b', at, 2), ...refer('m', at, 1)]
    case 'product':
    case 'item':
      return id === 'Q'
        ? /^[pb]\d$/.test(String(args['id']))
          ? { id: args['id'] }
          : null
        : one('pb'[hashOf(at) % 2]!)
    case 'relabel':
    case 'rename':
    case 'review':
    case 'withdraw':
      world.labels.set(
        String(args['id']),
        `${String(args['label'] ?? args['name'] ?? 'x')}${world.labels.size}`,
      )
      return { id: args['id'] }
    case 'related':
      return [...refer('b', at, 1), ...many('p')]
    case 'maker':
      return one('m')
    case 'best':
    case 'wrapped':
      return one('pbm'[hashOf(at) % 3]!)
    case 'parts':
      return many('p')
    case 'alternative':
    case 'favourite':
      return one('p')
    case 'size':
      return { id: `s${id}` }
    case 'firm':
      return { id: 'f1' }
    case 'grid':
      return [[{ id: `s${id}1` }, null], [], [{ id: `s${id}2` }]]
    case 'kinds':
      return ['ANY', 'OTHERS']
    case 'warehouse':
      return one('w')
    case 'warehouses':
      return many('w')
    case 'reviews':
    case 'topReviews':
      return many('r')
    case 'author':
    case 'boss':
    case 'me':
    case 'user':
      return one('u')
    case 'users':
    case 'friends':
      return many('u')
    case 'price':
      return price(args['currency'])
    case 'weight':
      return weight(args['unit'])
    case 'country':
      return country(id)
    // In a subgraph, what is required comes from the gateway.
    case 'shipping':
      return 1000 * Number(told['price'] ?? price('USD')) + Number(told['weight'] ?? weight('KG'))
    case 'tax':
      return -Number(told['price'] ?? price('EUR'))
    case 'duty':
      return 10_000 + Number(told['weight'] ?? weight('KG'))
    case 'headline':
      return `!${String(told['name'] ?? truth({ ...world, failing: false }, id, 'name', {}, told))}`
    case 'name':
      return `${world.labels.get(id) ?? 'name'} of ${id}${args['upper'] ? '!' : ''}`
    case 'inStock':
      return hashOf(at) % 2 === 0
    case 'fragile':
      return id.startsWith('b') ? hashOf(at) % 2 === 0 : `fragile ${id}`
    case 'stars':
    case 'width':
    case 'height':
      return hashOf(at) % 100
    case 'score':
      return (hashOf(at) % 100) / 10
    default:
      return at
  }
}

const resolve: GraphQLFieldResolver<Row | undefined, World> = (row, args, world, { fieldName }) =>
  truth(world, row?.id ?? 'Q', fieldName, args, row ?? { id: 'Q' })

type Resolver = GraphQLFieldResolver<unknown, unknown>

const typeOf = ({ id }: Row) => typeByLetter[id[0]!]

function schemaOf(name: keyof typeof typeDefs): GraphQLSchema {
  const schema = buildSubgraphSchema({ typeDefs: parse(typeDefs[name]) })
  const resolvers: GraphQLResolverMap<unknown> = {}
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('_')) continue
    if (isObjectType(type)) {
      const fields = Object.keys(type.getFields()).filter((field) => !field.startsWith('_'))
      resolvers[type.name] = Object.fromEntries(fields.map((field) => [field, resolve as Resolver]))
      if (!['Query', 'Mutation', 'Size', 'Firm'].includes(type.name)) {
        // Stock does not know every product, and says so with a null and no error.
        const unknown = (row: Row, { failing }: World) =>
          failing && name === 'stock' && hashOf(row.id) % 5 === 0 && type.name === 'Product'
        Object.assign(resolvers[type.name]!, {
          __resolveReference: (row: Row, world: World) =>
            unknown(referred(row), world) ? null : referred(row),
        })
      }
    } else if (isAbstractType(type)) {
      resolvers[type.name] = {
        __resolveType: typeOf,
        ...(name === 'catalog' && type.name === 'Item' && { __resolveReference: referred }),
      }
    }
  }
  return buildSubgraphSchema({ typeDefs: parse(typeDefs[name]), resolvers })
}

/** The one with this code is the maker of that number. */
function referred(row: Row & { code?: string }): Row {
  return row.id ? row : { ...row, id: row.code!.split('.')[0]! }
}

export interface Federation {
  /** What clients see. */
  schema: GraphQLSchema
  ours: Executor
  stock: Executor
  /** How often something was planned for `ours`. */
  planned(): number
  /** The same objects as one schema, without gateway. */
  whole(query: string, variables: Record<string, unknown>, world: World): Promise<Outcome>
}

/** An answer without what differs by chance: the order of errors. */
export interface Outcome {
  data: unknown
  errors: string[]
  completed: string[]
}

export async function startFederation(): Promise<Federation> {
  overrideApolloVariables()
  const names = Object.keys(typeDefs) as (keyof typeof typeDefs)[]
  const sources = new Map(names.map((name) => [name as string, source(name, schemaOf(name))]))
  const planner = createPlanner()
  let planned = 0
  const counted: Planner = {
    ...planner,
    plan: (...asked) => {
      planned++
      return planner.plan(...asked)
    },
  }
  const plans = createPlans({ make: (sdl) => planHere(sdl, gateway, counted, () => operations.serves) })
  const operations = preparedOperations(plans)
  const supergraph = compose(names.map((name) => ({ name, typeDefs: parse(typeDefs[name]) })))
  const options = {
    buildService: ({ name }: { name: string }) => sources.get(name)!,
    logger: pino({ level: 'silent' }),
    debug: false,
  }
  const gateway = new ApolloGateway({
    ...options,
    supergraphSdl: plannable(supergraph),
    experimental_didResolveQueryPlan: planner.didResolveQueryPlan,
  })
  const stock = new ApolloGateway({ ...options, supergraphSdl: supergraph })
  await stock.load()
  const { schema, executor: ours } = await planExecution(gateway, operations, (name) =>
    sources.get(name),
  ).load()
  return {
    schema,
    ours,
    stock: stock.executor,
    planned: () => planned,
    whole: async (query, variables, world) =>
      outcomeOf(
        await execute({
          schema,
          document: parse(query),
          variableValues: variables,
          contextValue: world,
          fieldResolver: resolve,
          typeResolver: typeOf as (row: unknown) => string | undefined,
        }),
      ),
  }
}

function source(name: string, schema: GraphQLSchema): SubgraphDataSource {
  return {
    async process(call) {
      if (!('incomingRequestContext' in call)) return {}
      const world = call.context as unknown as World
      const { query = '', variables } = call.request
      const asked = Object.values((variables ?? {}) as Record<string, unknown>).filter(areEntities)
      world.calls.push(asked.length > 0 ? `${name} ${asked.map(({ length }) => length).join('+')}` : name)
      const instead = world.instead?.(name, query)
      if (instead !== undefined) return instead as Awaited<ReturnType<SubgraphDataSource['process']>>
      // As over HTTP: nothing is shared, and what a subgraph takes, it takes as JSON.
      const sent = JSON.parse(JSON.stringify(variables ?? {})) as Record<string, unknown>
      const answer = await execute({
        schema,
        document: parse(query),
        variableValues: sent,
        contextValue: world,
      })
      return JSON.parse(JSON.stringify(answer)) as ExecutionResult as Awaited<
        ReturnType<SubgraphDataSource['process']>
      >
    },
    ping: async () => undefined,
    close: async () => undefined,
  }
}

function areEntities(value: unknown): value is { __typename: string }[] {
  return (
    Array.isArray(value) &&
    value.every((item) => item !== null && typeof item === 'object' && '__typename' in item)
  )
}

export const newWorld = (failing = false): World => ({ labels: new Map(), calls: [], failing })

/** Errors without the same refusal of further rows of a field (G14). */
export function refusedOnce(errors: readonly string[]): string[] {
  const seen = new Set<string>()
  return errors.filter((error) => {
    const [, place = '', rest = ''] = /^(\S+) (.*)$/s.exec(error) ?? []
    if (!/^(FORBIDDEN|UNAUTHENTICATED) /.test(rest)) return true
    const key = `${place.replaceAll(/\.\d+(?=\.|$)/g, '.@')} ${rest}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

/** Runs an operation as Apollo Server hands it over. */
export async function run(
  executor: Executor,
  schema: GraphQLSchema,
  query: string,
  variables: Record<string, unknown> = {},
  world = newWorld(),
  operationName?: string,
): Promise<Outcome> {
  const document = parse(query)
  const operation = getOperationAST(document, operationName)!
  const request: GatewayRequest = {
    request: { query, variables, operationName },
    logger: pino({ level: 'silent' }),
    schema,
    schemaHash: '' as GatewayRequest['schemaHash'],
    context: world as unknown as GatewayRequest['context'],
    cache: undefined as unknown as GatewayRequest['cache'],
    queryHash: query,
    document,
    source: query,
    operationName: operation.name?.value ?? null,
    operation,
    metrics: {},
    overallCachePolicy: undefined,
  }
  return outcomeOf((await executor(request)) as ExecutionResult)
}

function outcomeOf({ data, errors, extensions }: ExecutionResult): Outcome {
  const completion = (extensions?.['valueCompletion'] ?? []) as GraphQLFormattedError[]
  const place = (path: GraphQLFormattedError['path']) => path?.join('.') ?? '-'
  return {
    data: data && (JSON.parse(JSON.stringify(data)) as unknown),
    errors: (errors ?? [])
      .map((error) => `${place(error.path)} ${String(error.extensions?.['code'])} ${error.message}`)
      .sort(),
    completed: completion.map(({ path }) => place(path)).sort(),
  }
}
