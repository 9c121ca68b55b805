import { createServer } from 'node:net'
import { signViewer } from '../../kernel/access/viewer-token'
import { systemClock } from '../../kernel/clock'
import { runChild } from '../gateway/fixtures/child'
import { freshDatabase, type TestDatabase } from '../support/postgres'

const secret = 'a secret of at least thirty-two characters'
let database: TestDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())

const environment = () => ({
  NODE_ENV: 'test',
  LOG_LEVEL: 'silent',
  VIEWER_SECRET: secret,
  DATABASE_URL_FINANCE: database.urlFor('finance'),
})

async function ask(url: string, query: string) {
  const body = JSON.stringify({ query })
  const token = signViewer(
    secret,
    'finance',
    null,
    body,
    { requestId: 'r', clientIp: null, userAgent: null },
    systemClock,
  )
  const response = await fetch(url, { method: 'POST', headers: { 'x-viewer': token }, body })
  return (await response.json()) as unknown
}

test('npm run subgraph serves one alone, and ends in order on SIGTERM', async () => {
  const child = runChild('scripts/subgraph.ts', ['finance', '--port', '0'], environment())
  const [, url] = await child.printed(/^ready (http:\/\/127\.0\.0\.1:\d+\/graphql)$/m)
  expect(await ask(url!, '{ __typename }')).toEqual({ data: { __typename: 'Query' } })
  expect((await fetch(url!.replace('/graphql', '/readyz'))).status).toBe(200)
  expect((await fetch(url!, { method: 'POST', body: '{}' })).status).toBe(401)
  child.process.kill('SIGTERM')
  expect(await child.exit).toBe(0)
})

test('a port that is taken ends a subgraph that is served alone, with everything closed', async () => {
  const taken = createServer()
  const port = await new Promise<number>((resolve) =>
    taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port)),
  )
  const child = runChild('scripts/subgraph.ts', ['finance'], { ...environment(), PORT: String(port) })
  expect(await child.exit).toBe(1)
  expect(child.stderr()).toContain('EADDRINUSE')
  taken.close()
})

test.each([
  [
    'an unknown name',
    'sales',
    {},
    'Name one subgraph: identity, tenancy, insights, compliance, hr, finance.',
  ],
  [
    'no VIEWER_SECRET',
    'finance',
    { VIEWER_SECRET: '' },
    'Set VIEWER_SECRET, the same for this subgraph and the gateway',
  ],
])('with %s it says what to do and ends with 1', async (_what, name, more, message) => {
  const child = runChild('scripts/subgraph.ts', [name], { ...environment(), ...more })
  expect(await child.exit).toBe(1)
  expect(child.stderr()).toContain(message)
})
