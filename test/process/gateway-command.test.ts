import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'graphql'
import { compose } from '../../registry/composition/compose'
import { contractSupergraph } from '../../registry/composition/contract-supergraph'
import { runChild, type Child } from '../gateway/fixtures/child'
import { serve, serveForeign, type Listening } from '../gateway/fixtures/serve'
import { client } from '../gateway/fixtures/start'
import {
  fixtureNames,
  fixtureState,
  fixtureSupergraph,
  runFixtures,
  type FixtureName,
} from '../gateway/fixtures/subgraphs'

const folder = mkdtempSync(join(tmpdir(), 'supergraph-'))
const guarded = join(folder, 'guarded.graphql')
const unknown = join(folder, 'unknown.graphql')
const state = fixtureState()
const seen: unknown[] = []
let servers: Record<FixtureName, Listening>

beforeAll(async () => {
  const running = runFixtures(state)
  servers = Object.fromEntries(
    await Promise.all(
      fixtureNames.map(
        async (name) =>
          [name, await serveForeign(running[name], (headers) => seen.push(headers['x-team']))] as const,
      ),
    ),
  ) as Record<FixtureName, Listening>
  writeFileSync(
    guarded,
    fixtureSupergraph((name) => servers[name].url),
  )
  const quota = '@link(url: "https://example.com/quota/v0.1", for: SECURITY)'
  writeFileSync(unknown, fixtureSupergraph().replace('\n{', `\n  ${quota}\n{`))
})
afterAll(async () => {
  await Promise.all(Object.values(servers).map((server) => server.close()))
  rmSync(folder, { recursive: true })
})

const start = (...args: string[]): Child => runChild('scripts/gateway.ts', args)

describe('npm run gateway -- --supergraph FILE', () => {
  it('serves the supergraph over its HTTP subgraphs, and ends in order on SIGTERM', async () => {
    const child = start(
      '--supergraph',
      guarded,
      '--port',
      '0',
      '--forward-header',
      'X-Team',
      '--subgraphs-enforce-access',
    )
    const [, url] = await child.printed(/^ready (http:\/\/127\.0\.0\.1:\d+\/graphql)$/m)
    const { ask } = client(url!)
    const answer = await ask('{ user(id: "2") { name employee { title claims { amount } } } }', {
      headers: { 'x-team': 'blue' },
    })
    expect(answer.body).toEqual({
      data: { user: { name: 'User 2', employee: { title: 'Title e2', claims: [{ amount: 10 }] } } },
    })
    expect(seen).toEqual(['blue', 'blue', 'blue'])
    const slow = ask('{ slow }')
    await state.gate.reached
    child.process.kill('SIGTERM')
    await child.printed(/"stopping"/)
    state.gate.release()
    expect((await slow).body).toEqual({ data: { slow: 'done' } })
    await expect(child.exit).resolves.toBe(0)
  })

  it('hides what a contract hides, without a flag (G3)', async () => {
    const open = parse(
      `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9") type Query { shown: Int hidden: Int }`,
    )
    const asked: unknown[] = []
    const server = await serve((request, response) => {
      request.on('data', (chunk: Buffer) => asked.push(JSON.parse(chunk.toString())))
      request.on('end', () => response.end('{"data":{"shown":1}}'))
    })
    const contract = join(folder, 'contract.graphql')
    const whole = compose([{ name: 'a', typeDefs: open, url: server.url }])
    writeFileSync(contract, contractSupergraph(whole, new Set(['Query.hidden'])))
    const child = start('--supergraph', contract, '--port', '0')
    const [, url] = await child.printed(/^ready (http:\/\/127\.0\.0\.1:\d+\/graphql)$/m)
    const { ask } = client(url!)
    const [shown, hidden, named] = [
      await ask('{ shown }'),
      await ask('{ hidden }'),
      await ask('{ __type(name: "Query") { fields { name } } }'),
    ]
    child.process.kill('SIGTERM')
    await child.exit
    await server.close()
    expect(shown.body).toEqual({ data: { shown: 1 } })
    expect(named.body.data).toEqual({ __type: { fields: [{ name: 'shown' }] } })
    expect([hidden.status, hidden.body.errors?.[0]?.extensions.code]).toEqual([
      400,
      'GRAPHQL_VALIDATION_FAILED',
    ])
    expect(asked).toHaveLength(1)
  })

  it.each<[string, string[], RegExp]>([
    [
      'a security feature that nobody knows, whatever the flag says (G3)',
      ['--supergraph', unknown, '--subgraphs-enforce-access'],
      /asks its router for https:\/\/example\.com\/quota\/v0\.1, which this gateway does not know/,
    ],
    [
      'guards it would not enforce',
      ['--supergraph', guarded],
      /leaves @authenticated, @requiresScopes to its router/,
    ],
    [
      'a file that is no supergraph',
      ['--supergraph', join(__dirname, 'gateway-command.test.ts')],
      /Syntax Error/,
    ],
    ['a port that is none', ['--supergraph', guarded, '--port', 'x'], /--port must be a whole number/],
  ])('refuses %s and says so', async (_name, args, message) => {
    const child = start(...args)
    await expect(child.exit).resolves.toBe(1)
    expect(child.stderr()).toMatch(message)
    expect(child.stdout()).toBe('')
  })
})
