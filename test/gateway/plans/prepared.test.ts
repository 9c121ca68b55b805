import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadable } from '../../../registry/composition/compose'
import { operationsInManifest, recordedOperations } from '../../../gateway/plans/expected-operations'
import type { PlanMaker } from '../../../gateway/plans/plans'
import type { Database } from '../../../kernel/connection/database'
import { startTestGateway, memoryLog, type TestGateway } from '../fixtures/start'
import { fixtureSupergraph } from '../fixtures/subgraphs'
import { startThread } from './thread'

const first = fixtureSupergraph()
/** Without the field User.friends. */
const second = first.replace(/ {2}friends: \[User!\]!.*\n/, '')
const { log } = memoryLog()

let gateway: TestGateway | undefined
let now: string
/** What was asked of the planner, as `supergraph, for whom, text without blanks`. */
let asked: string[]
let waitFor: Promise<void> | undefined

beforeEach(() => {
  now = first
  asked = []
  waitFor = undefined
})
afterEach(() => gateway?.close())

/** Starting one takes longer than a test. */
const threads = new Map<string, PlanMaker>()
afterAll(() => Promise.all([...threads.values()].map((thread) => thread.close())))

function makePlans(supergraph: string): PlanMaker {
  const thread = threads.get(supergraph) ?? startThread(supergraph, { log })
  threads.set(supergraph, thread)
  const version = supergraph === loadable(first) ? 'first' : 'second'
  return {
    ready: thread.ready,
    close: async () => undefined,
    async plan(text, name, asker) {
      asked.push(`${version}, ${asker !== null ? 'client' : 'ahead'}, ${text.replace(/\s+/g, '')}`)
      await waitFor
      return thread.plan(text, name, asker)
    },
  }
}
const source = { label: 'test', intervalMs: 5, current: async () => ({ id: now, sdl: now }) }
const known = (text: string) => ({
  source: text,
  hash: createHash('sha256').update(text).digest('hex'),
  operationName: undefined,
})
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2))
}

const name = '{ user(id: "1") { name } }'
const friends = '{ user(id: "1") { friends { name } } }'
/** What is planned: values are none of the planner's business. */
const textOf = {
  [name]: 'query($asked_value0:ID!){user(id:$asked_value0){name}}',
  [friends]: 'query($asked_value0:ID!){user(id:$asked_value0){friends{name}}}',
}

test('known operations are planned after the start, and not again when a client sends them', async () => {
  gateway = await startTestGateway({
    makePlans,
    expectedOperations: async () => [known('{ gone }'), known('{ not graphql'), known(name)],
  })
  await until(() => asked.length > 0)
  expect((await gateway.ask(name)).body).toEqual({ data: { user: { name: 'User 1' } } })
  expect(asked).toEqual([`first, ahead, ${textOf[name]}`])
})

test('known operations that cannot be read are said, and the gateway serves', async () => {
  gateway = await startTestGateway({
    makePlans,
    expectedOperations: () => Promise.reject(new Error('no database')),
  })
  expect((await gateway.ask(name)).status).toBe(200)
  expect(
    gateway.lines.filter(({ msg }) => msg === 'operations not prepared').map(({ fault }) => fault),
  ).toEqual(['no database'])
})

test('for another supergraph, what was used most is planned first and before anybody asks', async () => {
  gateway = await startTestGateway({ supergraph: source, makePlans })
  const often = '{ user(id: "2") { id } }'
  for (const query of [name, often, often, friends, often]) await gateway.ask(query)
  asked = []
  now = second
  await until(() => asked.length === 2)
  // friends is no field of the second one.
  expect(asked).toEqual([
    'second, ahead, query($asked_value0:ID!){user(id:$asked_value0){id}}',
    `second, ahead, ${textOf[name]}`,
  ])
  expect((await gateway.ask(often)).body).toEqual({ data: { user: { id: '2' } } })
  expect(asked.length).toBe(2)
})

describe('the supergraph changes while an operation is planned', () => {
  /** Sends the operation, and changes the supergraph before its plan is there. */
  async function askedMeanwhile(query: string) {
    gateway = await startTestGateway({ supergraph: source, makePlans })
    let go = () => {}
    waitFor = new Promise<void>((resolve) => (go = resolve))
    const answer = gateway.ask(query)
    await until(() => asked.length === 1)
    now = second
    await until(() => gateway!.lines.some(({ msg }) => msg === 'supergraph loaded'))
    go()
    return answer
  }

  test('one that both have is planned for the new one and answered', async () => {
    const { status, body } = await askedMeanwhile(name)
    expect([status, body]).toEqual([200, { data: { user: { name: 'User 1' } } }])
    // It was in use, so that it is prepared ahead for the new one.
    expect(asked).toEqual([`first, client, ${textOf[name]}`, `second, ahead, ${textOf[name]}`])
  })

  test('one that the new one does not have is refused as invalid', async () => {
    const { body } = await askedMeanwhile(friends)
    expect(body).toEqual({
      errors: [
        {
          message: 'Cannot query field "friends" on type "User".',
          extensions: { code: 'GRAPHQL_VALIDATION_FAILED', traceId: expect.any(String) },
        },
      ],
    })
    expect(asked).toEqual([`first, client, ${textOf[friends]}`])
  })
})

describe('operations that clients are known to send', () => {
  test('are those of a manifest of persisted documents, if there is one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'manifest-'))
    const file = join(folder, 'manifest.json')
    expect(operationsInManifest(file)).toEqual([])
    const body = 'query A { tenant { name } }'
    const id = createHash('sha256').update(body).digest('hex')
    writeFileSync(file, JSON.stringify({ operations: [{ id, name: 'A', type: 'query', body }] }))
    expect(operationsInManifest(file)).toEqual([{ source: body, hash: id, operationName: 'A' }])
    writeFileSync(file, '{}')
    expect(() => operationsInManifest(file)).toThrow()
    rmSync(folder, { recursive: true })
  })

  test('are those recorded, without those whose values were not', async () => {
    const documents = [
      ['query A($id: ID!) { user(id: $id) { name } }', 'A'],
      ['{ user(id: "") { name } }', ''],
      ['{ users(first: 0) { name } }', ''],
      ['{ users(in: []) { name } }', ''],
      ['{ cut off', ''],
      ['{ tenant { name } }', ''],
    ]
    const database = { rows: async () => documents } as unknown as Database
    const found = await recordedOperations(database)
    expect(found.map(({ source, operationName }) => [source.replace(/\s+/g, ' '), operationName])).toEqual([
      ['query A($id: ID!) { user(id: $id) { name } }', 'A'],
      ['{ tenant { name } }', undefined],
    ])
  })
})
