import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  buildSchema as readApi,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isListType,
  isObjectType,
  parse,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql'
import { liveOperation } from '../../gateway/live/live-operation'
import type { Database } from '../../kernel/connection/database'
import { projectRoot } from '../../kernel/process/project-root'
import { buildSchema } from '../../kernel/schema/subgraph-schema'
import { subgraphs } from '../../subgraphs'
import { startGraph, type TestClient, type TestGraph } from '../support/graph'

/** Every list that a client can send is bounded before anything is done with it (attack 3). */
let graph: TestGraph
let admin: TestClient
const built: GraphQLSchema[] = []

beforeAll(async () => {
  const opened: Database[] = []
  graph = await startGraph({ demo: true, around: (_, database) => (opened.push(database), database) })
  admin = await graph.demo('acme', 'admin')
  for (const definition of subgraphs) {
    const database = opened.find(({ dataSource }) =>
      definition.entities.every((entity) => dataSource.hasMetadata(entity as never)),
    )
    built.push((await buildSchema(definition, database!, { guard: (plain) => plain })).schema)
  }
})
afterAll(() => graph?.close())

/** The paths of lists in an argument, each with a value around a list of as many items as asked for. */
function listsIn(
  given: GraphQLInputType,
  path: string[],
  seen: readonly string[] = [],
): { path: string; value: (items: number) => unknown }[] {
  const type = getNullableType(given)
  const named = getNamedType(type)
  const own = isListType(type)
    ? [{ path: path.join('.'), value: (items: number): unknown => Array.from({ length: items }, () => null) }]
    : []
  if (!isInputObjectType(named) || seen.includes(named.name)) return own
  const below = Object.values(named.getFields()).flatMap((field) =>
    listsIn(field.type, [...path, ...(isListType(type) ? ['0'] : []), field.name], [...seen, named.name]).map(
      (list) => ({
        path: list.path,
        value: (items: number): unknown => {
          const value = { [field.name]: list.value(items) }
          return isListType(type) ? [value] : value
        },
      }),
    ),
  )
  return [...own, ...below]
}

/** Every list of every argument of a schema: `Type.field argument.path`. */
function placesOf(schema: GraphQLSchema) {
  return Object.values(schema.getTypeMap()).flatMap((type) => {
    if (!isObjectType(type) || type.name.startsWith('_')) return []
    return Object.values(type.getFields()).flatMap((field) =>
      field.name.startsWith('_')
        ? []
        : field.args.flatMap((argument) =>
            listsIn(argument.type, [argument.name]).map(({ path, value }) => ({
              name: `${type.name}.${field.name} ${path}`,
              send: async (items: number): Promise<string> => {
                if (type === schema.getSubscriptionType()) return sendStreamed(schema, field, argument, items)
                const args = { [argument.name]: value(items) }
                try {
                  const answer = (await field.resolve!(undefined, args, {} as never, {} as never)) as {
                    userErrors?: { message: string; field: string[] | null }[]
                  }
                  const [error] = answer.userErrors ?? []
                  return error ? `${argument.name}.${error.field?.join('.')}: ${error.message}` : 'resolved'
                } catch (error) {
                  return String((error as Error).message)
                }
              },
            })),
          ),
    )
  })
}

/** Lists of streams are the gateway's: no subgraph sees them. */
function sendStreamed(
  schema: GraphQLSchema,
  field: GraphQLField<unknown, unknown>,
  argument: GraphQLArgument,
  items: number,
): string {
  const text = `subscription ($list: ${String(argument.type)}) { ${field.name}(${argument.name}: $list) { kind } }`
  const document = parse(text)
  const [operation] = document.definitions as [OperationDefinitionNode]
  try {
    liveOperation(schema, document, operation, { list: Array.from({ length: items }, () => 'x') })
    return 'resolved'
  } catch (error) {
    return String((error as Error).message)
  }
}

const most = 'has more than 500 items: send them in several requests'

test('every list of every argument has 500 items at most, wherever it stands', async () => {
  const wrong: string[] = []
  const tried: string[] = []
  for (const schema of built)
    for (const { name, send } of placesOf(schema)) {
      tried.push(name)
      const path = name.slice(name.indexOf(' ') + 1)
      const refusal = await send(501)
      if (!refusal.startsWith(`${path}: `) || !refusal.endsWith(most)) wrong.push(`${name}: ${refusal}`)
      const taken = await send(500)
      if (taken.includes(most)) wrong.push(`${name} of 500: ${taken}`)
    }
  expect(wrong).toEqual([])
  const api = placesOf(readApi(readFileSync(join(projectRoot, 'schema', 'api.graphql'), 'utf8')))
  expect(api.length).toBeGreaterThan(200)
  expect([...new Set(tried)].sort()).toEqual(api.map(({ name }) => name).sort())
})

const values = (count: number) => Array.from({ length: count }, (_, n) => `x${n}`)

test('the lists of one filter have 500 values together', async () => {
  const ask = async (a: number, b: number) => {
    const variables = { a: values(a), b: values(b) }
    const { errors, data } = await admin.query(
      'query ($a: [String!], $b: [String!]) { users(filter: { or: [{ phone: { in: $a } }, { not: { phone: { in: $b } } }] }) { totalCount } }',
      variables,
    )
    return errors?.map(({ message, extensions }) => `${extensions.code} ${message}`) ?? data
  }
  const { users } = await admin.data<{ users: { totalCount: number } }>('{ users { totalCount } }')
  expect(await ask(250, 250)).toEqual({ users })
  expect(await ask(250, 251)).toEqual([
    'BAD_USER_INPUT filter.or[1].not.phone.in: the lists of a filter have at most 500 values together: ask for them in several requests',
  ])
})

test('items of lists have a cost: long ones in many fields are too costly together', async () => {
  const fields = Array.from({ length: 100 }, (_, n) => `u${n}: users(first: 1, filter: $f) { totalCount }`)
  const query = `query ($f: UserFilter) { ${fields.join(' ')} }`
  const refused = await admin.query(query, { f: { phone: { in: values(500) } } })
  expect(refused.errors?.map(({ message, extensions }) => [extensions.code, message])).toEqual([
    ['QUERY_TOO_COSTLY', expect.stringMatching(/^The operation costs \d+, at most 50000: /)],
  ])
})
