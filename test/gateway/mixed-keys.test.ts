import { ApolloGateway, type GraphQLDataSource } from '@apollo/gateway'
import { composeServices } from '@apollo/composition'
import { buildSubgraphSchema } from '@apollo/subgraph'
import type { GraphQLResolverMap } from '@apollo/subgraph/dist/schema-helper'
import { execute, parse, validate } from 'graphql'
import pino from 'pino'
import { planExecution } from '../../gateway/execution/executor'
import { preparedOperations } from '../../gateway/execution/prepared-operations'
import { createPlanner } from '../../gateway/execution/query-plan'
import { planHere } from '../../gateway/plans/plan-here'
import { createPlans } from '../../gateway/plans/plans'
import { plannable } from '../../gateway/supergraph-source'
import type { SubgraphDataSource } from '../../gateway/context'
import { overrideApolloVariables } from '../../kernel/process/config'
import { run } from './execution/federation'

/** Keys that share fields in every way: alone, composite, in an object, and an object beside a field. */
const keys = ['id', 'pid', 'id pid', 'upc', 'ref { a b }', 'id ref { a }'] as const
type Key = (typeof keys)[number]

/** How three subgraphs know an entity: the first gives it, the last has the field that is asked for. */
interface Arrangement {
  keys: [Key[], Key[], Key[]]
  /** `interface`: the first has an interface with two types, the others know it as one object type. */
  kind: 'object' | 'interface'
}

const rows = ['1', '2'].map((n) => ({
  __typename: n === '1' ? 'T' : 'U',
  id: `id${n}`,
  pid: `pid${n}`,
  upc: `upc${n}`,
  ref: { a: `a${n}`, b: `b${n}` },
  f0: `f0 of ${n}`,
  f1: `f1 of ${n}`,
  f2: `f2 of ${n}`,
}))
type Row = (typeof rows)[number]

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@interfaceObject"])\n`

function typeDefs({ keys: [...all], kind }: Arrangement, at: 0 | 1 | 2): string {
  const text = all[at]!.join(' ')
  const fields = [
    ...['id', 'pid', 'upc'].filter((name) => text.includes(name)).map((name) => `${name}: ID!`),
    ...(text.includes('ref') ? ['ref: Ref!'] : []),
    `f${at}: String`,
  ].join(' ')
  const directives = all[at]!.map((key) => `@key(fields: "${key}")`).join(' ')
  const ref = text.includes('ref')
    ? `type Ref @shareable { a: ID! ${text.includes('b }') ? 'b: ID!' : ''} }`
    : ''
  const query = at === 0 ? 'type Query { all: [P!]! }' : ''
  if (kind === 'object') return `${link}${query} type P ${directives} { ${fields} } ${ref}`
  return at === 0
    ? `${link}${query} interface P ${directives} { ${fields} } ${ref}
       type T implements P ${directives} { ${fields} } type U implements P ${directives} { ${fields} }`
    : `${link}type P ${directives} @interfaceObject { ${fields} } ${ref}`
}

/** Finds the row of which all is true that a subgraph was told; nothing where it was told no whole key. */
function find(told: Record<string, unknown>, known: readonly Key[]): Row | null {
  const holds = (one: unknown, other: unknown): boolean =>
    typeof one === 'object' && one !== null
      ? Object.entries(one).every(([name, value]) => holds(value, (other as Record<string, unknown>)[name]))
      : one === other
  const { __typename: _, ...fields } = told
  const hasKey = known.some((key) =>
    key.match(/\w+/g)!.every((name) => JSON.stringify(fields).includes(`"${name}"`)),
  )
  return (hasKey && rows.find((row) => holds(fields, row))) || null
}

function sourceOf(arrangement: Arrangement, at: 0 | 1 | 2): SubgraphDataSource {
  const known = arrangement.keys[at]
  const isInterface = arrangement.kind === 'interface' && at === 0
  const resolve = {
    __resolveReference: (told: Record<string, unknown>) => {
      const row = find(told, known)
      return row && (isInterface ? row : { ...row, __typename: 'P' })
    },
  }
  const resolvers: Record<string, object> = {
    ...(at === 0 && { Query: { all: () => rows } }),
    ...(isInterface ? { P: resolve, T: resolve, U: resolve } : { P: resolve }),
  }
  const schema = buildSubgraphSchema({
    typeDefs: parse(typeDefs(arrangement, at)),
    resolvers: resolvers as GraphQLResolverMap<unknown>,
  })
  return {
    async process({ request: { query = '', variables } }) {
      const document = parse(query)
      const errors = validate(schema, document)
      if (errors.length > 0) return { errors }
      const answer = await execute({ schema, document, variableValues: variables })
      return JSON.parse(JSON.stringify(answer)) as Awaited<ReturnType<GraphQLDataSource['process']>>
    },
    ping: async () => undefined,
    close: async () => undefined,
  }
}

/** The supergraph; none where there is no way to a field, or where composition ends in one without end. */
function composed(schemas: Parameters<typeof composeServices>[0]): string | undefined {
  try {
    return composeServices(schemas).supergraphSdl
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** The answers of this gateway and of ApolloGateway; null where the subgraphs do not compose. */
async function answers(arrangement: Arrangement, query: string) {
  const places = [0, 1, 2] as const
  const supergraphSdl = composed(
    places.map((at) => ({ name: `s${at}`, typeDefs: parse(typeDefs(arrangement, at)), url: 'http://x' })),
  )
  if (supergraphSdl === undefined) return null
  const sources = new Map(places.map((at) => [`s${at}`, sourceOf(arrangement, at)]))
  const options = {
    buildService: ({ name }: { name: string }) => sources.get(name)!,
    logger: pino({ level: 'silent' }),
    debug: false,
    validateSupergraph: false,
  }
  const planner = createPlanner()
  const plans = createPlans({ make: (sdl) => planHere(sdl, gateway, planner, () => operations.serves) })
  const operations = preparedOperations(plans)
  const gateway = new ApolloGateway({
    ...options,
    supergraphSdl: plannable(supergraphSdl),
    experimental_didResolveQueryPlan: planner.didResolveQueryPlan,
  })
  const stock = new ApolloGateway({ ...options, supergraphSdl })
  const { executor: theirs, schema } = await stock.load()
  const { executor } = await planExecution(gateway, operations, (name) => sources.get(name)).load()
  return { ours: await run(executor, schema, query), stock: await run(theirs!, schema, query) }
}

/** All arrangements in which the subgraph in the middle has two keys. */
function* arrangements(kind: Arrangement['kind']): Generator<Arrangement> {
  const pairs = keys.flatMap((one, at) => keys.slice(at + 1).map((other): Key[] => [one, other]))
  for (const first of keys)
    for (const middle of pairs)
      for (const last of [
        ...keys.map((key) => [key]),
        ...(kind === 'object' ? [['id pid', 'upc'] as Key[]] : []),
      ])
        yield { keys: [[first], middle, last], kind }
}

/** Every so many arrangements are tried; 1 tries all of them. */
const stride = Number(process.env.KEYS_STRIDE ?? 13)

beforeAll(() => overrideApolloVariables())

test.each(['object', 'interface'] as const)(
  'an entity of an %s type is found through every mix of single and composite keys',
  async (kind) => {
    const expected = { all: rows.map(({ f0, f1, f2 }) => ({ f2, f1, f0 })) }
    const wrong: object[] = []
    const differing: object[] = []
    let tried = 0
    for (const [index, arrangement] of [...arrangements(kind)].entries()) {
      if (index % stride !== 0) continue
      const both = await answers(arrangement, '{ all { f2 f1 f0 } }')
      if (!both) continue
      tried++
      const { ours, stock } = both
      if (JSON.stringify(ours.data) !== JSON.stringify(expected)) wrong.push({ arrangement, ours, stock })
      else if (JSON.stringify(stock.data) !== JSON.stringify(expected)) differing.push({ arrangement, stock })
    }
    if (stride === 1) console.log({ kind, tried, wrong: wrong.length, differing })
    expect(wrong).toEqual([])
    expect(tried).toBeGreaterThan(5)
  },
  600_000,
)
