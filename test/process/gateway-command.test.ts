import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runChild, type Child } from '../gateway/fixtures/child'
import { serveForeign, type Listening } from '../gateway/fixtures/serve'
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

  it.each<[string, string[], RegExp]>([
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
