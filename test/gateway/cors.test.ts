import { loadConfig } from '../../kernel/process/config'
import { startTestGateway, type TestGateway } from './fixtures/start'

let gateway: TestGateway
afterEach(() => gateway.close())

const ours = 'https://app.example'
const preflight = (origin: string) => ({
  method: 'OPTIONS',
  headers: {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization',
  },
})
const of = (headers: Headers) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control') || name === 'vary'))

test('G6: a page of a listed origin may call and read, another may not, and no cookie lets anybody in', async () => {
  gateway = await startTestGateway({ corsOrigins: [ours, 'http://127.0.0.1:3000'] })
  const asked = await gateway.fetch('/graphql', preflight(ours))
  expect([asked.status, asked.text, of(asked.headers)]).toEqual([
    204,
    '',
    {
      vary: 'Origin',
      'access-control-allow-origin': ours,
      'access-control-expose-headers': 'x-request-id, retry-after, www-authenticate, content-disposition',
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': expect.stringMatching(
        /^accept, authorization, content-type, x-api-key, /,
      ),
      'access-control-max-age': '7200',
    },
  ])
  const refused = await gateway.fetch('/graphql', preflight('https://app.example.evil'))
  expect([refused.status, of(refused.headers)]).toEqual([403, { vary: 'Origin' }])
  const { headers, body } = await gateway.ask('{ __typename }', { headers: { origin: ours } })
  expect([body, headers.get('access-control-allow-origin')]).toEqual([
    { data: { __typename: 'Query' } },
    ours,
  ])
  // A refusal can be read too, and other paths are for nobody.
  const faulty = await gateway.ask('{ nope }', { headers: { origin: ours } })
  expect([faulty.status, faulty.headers.get('access-control-allow-origin')]).toEqual([400, ours])
  const stranger = await gateway.ask('{ __typename }', { headers: { origin: 'https://evil.example' } })
  expect(of(stranger.headers)).toEqual({ vary: 'Origin' })
  expect(of((await gateway.fetch('/readyz', { headers: { origin: ours } })).headers)).toEqual({})
})

test('G6: without a list no page of another origin is told anything', async () => {
  gateway = await startTestGateway()
  const asked = await gateway.fetch('/graphql', preflight(ours))
  expect([asked.status, of(asked.headers)]).toEqual([405, {}])
  expect(of((await gateway.ask('{ __typename }', { headers: { origin: ours } })).headers)).toEqual({})
  expect(loadConfig({ NODE_ENV: 'test' }).corsOrigins).toEqual([])
  expect(
    loadConfig({ NODE_ENV: 'test', CORS_ORIGINS: `${ours}, http://localhost:5173` }).corsOrigins,
  ).toEqual([ours, 'http://localhost:5173'])
  for (const origin of ['*', 'app.example', `${ours}/`, 'null', 'file:///x'])
    expect(() => loadConfig({ NODE_ENV: 'test', CORS_ORIGINS: origin })).toThrow(
      `CORS_ORIGINS must hold origins such as https://app.example, not ${origin}`,
    )
})
