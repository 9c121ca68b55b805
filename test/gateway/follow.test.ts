import { GraphQLError } from 'graphql'
import { localDataSource } from '../../gateway/subgraphs/local'
import type { SupergraphSource } from '../../gateway/supergraph-source'
import { startTestGateway, type TestGateway } from './fixtures/start'
import { fixtureState, fixtureSupergraph, runFixtures, type FixtureName } from './fixtures/subgraphs'

const first = fixtureSupergraph()
/** Without the field User.friends. */
const second = first.replace(/ {2}friends: \[User!\]!.*\n/, '')

let now: { id: string; sdl: string } | Error
let looks = 0
const source: SupergraphSource = {
  label: 'test',
  intervalMs: 5,
  current: async () => {
    looks++
    if (now instanceof Error) throw now
    return now
  },
}
let gateway: TestGateway

beforeEach(async () => {
  now = { id: '1', sdl: first }
  const subgraphs = runFixtures(fixtureState())
  gateway = await startTestGateway({
    supergraph: source,
    dataSource: ({ name }) => {
      if (!Object.hasOwn(subgraphs, name)) throw new GraphQLError(`no subgraph ${name}`)
      return localDataSource(subgraphs[name as FixtureName])
    },
  })
})
afterEach(() => gateway.close())

const friends = '{ user(id: "1") { friends { name } } }'
const name = { data: { user: { name: 'User 1' } } }
const logged = (message: string) => gateway.lines.filter(({ msg }) => msg === message)

/** Waits until the source was asked again, and once more so that what it said has been acted upon. */
async function looked(): Promise<void> {
  const until = looks + 2
  while (looks < until) await new Promise((resolve) => setTimeout(resolve, 2))
}

test('the gateway loads another version without a restart', async () => {
  expect((await gateway.ask(friends)).body.errors).toBeUndefined()
  now = { id: '2', sdl: second }
  await looked()
  expect((await gateway.ask(friends)).body.errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED')
  expect((await gateway.ask('{ user(id: "1") { name } }')).body).toEqual(name)
  expect(logged('supergraph loaded').map(({ version }) => version)).toEqual(['2'])
})

/** The employee's claims with an argument that composition says is filled from a context. */
const withContext = first.replace(
  /(claims[^\n]*@join__field\()(graph: FINANCE)\)/,
  '$1$2, contextArguments: [{context: "identity__user", name: "of", type: "String", selection: " { name }"}])',
)

const bad: [string, string][] = [
  ['is no GraphQL', 'type Query {'],
  ['is no supergraph', 'type Query { a: Int }'],
  [
    'has a subgraph that is not there',
    first.replace('name: "finance"', 'name: "elsewhere"').replaceAll('FINANCE', 'ELSEWHERE'),
  ],
  ['fills arguments from a context', withContext],
  [
    'asks for a feature that nobody enforces',
    first.replace(
      '@link(url: "https://specs.apollo.dev/link/v1.0")',
      '@link(url: "https://specs.apollo.dev/link/v1.0")\n  @link(url: "https://example.com/secrets/v1.0", for: SECURITY)',
    ),
  ],
]

test.each(bad)('a version that %s is refused, once, and the last good one stays', async (_what, sdl) => {
  now = { id: 'bad', sdl }
  await looked()
  await looked()
  expect((await gateway.ask(friends)).body.errors).toBeUndefined()
  expect((await gateway.fetch('/readyz')).status).toBe(200)
  expect(logged('supergraph not loaded, the last one stays')).toEqual([
    expect.objectContaining({ served: '1', refused: 'bad' }),
  ])
  now = { id: '2', sdl: second }
  await looked()
  expect((await gateway.ask(friends)).body.errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED')
})

test('a supergraph that fills arguments from a context is refused at the start, with the fields', async () => {
  expect(withContext).not.toBe(first)
  await expect(startTestGateway({ supergraph: withContext })).rejects.toThrow(
    /^The supergraph fills arguments from a context \(@fromContext\), which this gateway does not do: \w+\.claims\. Have/,
  )
})

test('a source that does not answer changes nothing', async () => {
  now = new Error('the registry is down')
  await looked()
  expect((await gateway.ask(friends)).body.errors).toBeUndefined()
  now = { id: '2', sdl: second }
  await looked()
  expect((await gateway.ask(friends)).body.errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED')
})

test('requests that are under way finish on the version they began with', async () => {
  await gateway.close()
  const state = fixtureState()
  const subgraphs = runFixtures(state)
  gateway = await startTestGateway({
    supergraph: source,
    dataSource: ({ name }) => localDataSource(subgraphs[name as FixtureName]),
  })
  const slow = gateway.ask('{ slow }')
  await state.gate.reached
  now = { id: '2', sdl: second }
  await looked()
  state.gate.release()
  expect((await slow).body).toEqual({ data: { slow: 'done' } })
})

test('the cost of operations follows the version', async () => {
  const costly = first.replace('@cost(weight: 3)', '@cost(weight: 9999)')
  expect(costly).not.toBe(first)
  now = { id: '2', sdl: costly }
  await looked()
  expect((await gateway.ask(friends)).body.errors?.[0]?.extensions.code).toBe('QUERY_TOO_COSTLY')
})
