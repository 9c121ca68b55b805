import { createHash } from 'node:crypto'
import { get } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { examplesIn } from '../../gateway/http/explorer'
import { installationPages } from '../../gateway/http/pages'
import { startTestGateway, type TestGateway } from './fixtures/start'

let gateway: TestGateway
const example = { name: 'tricky', query: '{ __typename } # </script><script>alert(1)</script>' }

const reference = '<title>R</title><style>a{}</style><main></main><script>let a = 1</script>'

beforeAll(async () => {
  const pages = installationPages({
    explorer: [example],
    dashboard: true,
    demo: null,
    reference: () => reference,
  })
  gateway = await startTestGateway({ pages })
})
afterAll(() => gateway.close())

const browser = { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } }

it('shows a browser the page, whose policy allows nothing inline and nothing from elsewhere', async () => {
  const { status, text, headers } = await gateway.fetch('/graphql', browser)
  expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  expect(headers.get('cache-control')).toBe('no-store')
  const policy = headers.get('content-security-policy')
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
  expect(policy).not.toMatch(/unsafe|https?:|\*/)
  expect(text).not.toMatch(/https?:\/\//)
  // The only script with a body is data, and no example ends it.
  expect(text.match(/<script(?![^>]* src=)[^>]*>/g)).toEqual([
    '<script type="application/json" id="example-operations">',
    '<script type="application/json" id="session-operations">',
  ])
  const data = /id="example-operations">(.*?)<\/script>/s.exec(text)?.[1] ?? ''
  expect(JSON.parse(data)).toEqual([example])
})

it('keeps every other GET as it was', async () => {
  const pointer = await gateway.fetch('/graphql', { headers: { accept: '*/*' } })
  expect([pointer.status, pointer.text]).toEqual([404, 'GraphQL answers POST /graphql here.\n'])
  const query = await gateway.fetch('/graphql?query=%7B__typename%7D', {
    headers: { accept: 'text/html, application/json', 'apollo-require-preflight': 'yes' },
  })
  expect(query.body).toEqual({ data: { __typename: 'Query' } })
})

it('serves the files of the page for good, and no other file', async () => {
  const { text } = await gateway.fetch('/graphql', browser)
  const paths = [...text.matchAll(/(?:src|href)="(graphql\/explorer\/[^"]+)"/g)].map(([, path]) => `/${path}`)
  expect(paths).toHaveLength(8)
  for (const path of paths) {
    const { status, headers } = await gateway.fetch(path)
    expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([
      200,
      path.endsWith('.css') ? 'text/css; charset=utf-8' : 'text/javascript; charset=utf-8',
      'public, max-age=31536000, immutable',
    ])
  }
  for (const path of [
    '/graphql/explorer/explorer.js',
    '/graphql/explorer/',
    '/graphql/explorer/../../package.json',
  ])
    expect((await gateway.fetch(path)).status).toBe(404)
})

it('E11: shows people what is here at the root, and programs what they were shown', async () => {
  const { status, text, headers } = await gateway.fetch('/', browser)
  expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  expect([...text.matchAll(/<li><a href="([^"]+)"/g)].map(([, href]) => href)).toEqual([
    'dashboard',
    'graphql',
    'graphql/reference',
  ])
  expect(text).toContain('email: \\&quot;YOU@EXAMPLE.COM\\&quot;')
  expect((await gateway.fetch('/', { headers: { accept: '*/*' } })).status).toBe(404)
  expect((await gateway.fetch('/dashboar', browser)).status).toBe(404)
})

it('E6: serves the reference, whose script and style are named by their hashes and nothing else is run', async () => {
  const { status, text, headers } = await gateway.fetch('/graphql/reference', browser)
  expect([status, text]).toEqual([200, reference])
  const policy = headers.get('content-security-policy')
  const hash = (of: string) => `'sha256-${createHash('sha256').update(of).digest('base64')}'`
  expect(policy).toContain(`script-src ${hash('let a = 1')}; style-src ${hash('a{}')};`)
  expect(policy).not.toContain('unsafe')
})

it('has no page where there is neither explorer nor dashboard', () => {
  const pages = installationPages({
    explorer: null,
    dashboard: false,
    demo: null,
    reference: () => reference,
  })
  expect(['/', '/graphql', '/dashboard', '/graphql/reference'].map((path) => pages.at(path, true))).toEqual(
    Array.from({ length: 4 }, () => undefined),
  )
})

it('dash 19: shows the demo people and their password to somebody at this machine, and to nobody that comes from elsewhere', async () => {
  const demo = { people: [{ tenant: 't', email: 'a@t', name: 'A', role: 'R' }], password: 'demo-secret' }
  const shown = await startTestGateway({
    pages: installationPages({ explorer: [example], dashboard: true, demo }),
  })
  const { port } = new URL(shown.url)
  const ask = (path: string, headers: object) =>
    new Promise<string>((resolve, reject) => {
      const options = { port, path, host: '127.0.0.1', headers: { accept: 'text/html', ...headers } }
      get(options, (answer) => {
        let text = ''
        answer.on('data', (part: Buffer) => (text += part.toString()))
        answer.on('end', () => resolve(text))
      }).on('error', reject)
    })
  for (const path of ['/', '/graphql', '/dashboard']) {
    for (const host of [`127.0.0.1:${port}`, 'localhost', '[::1]:4000'])
      expect([path, host, (await ask(path, { host })).includes('demo-secret')]).toEqual([path, host, true])
    for (const headers of [
      { host: 'rebound.example' },
      { host: '127.0.0.1.example:4000' },
      { 'x-forwarded-for': '203.0.113.7' },
      { forwarded: 'for=203.0.113.7' },
    ]) {
      const text = await ask(path, headers)
      expect([path, headers, text.includes('demo-secret'), text.includes('</html>')]).toEqual([
        path,
        headers,
        false,
        true,
      ])
    }
  }
  await shown.close()
})

it('takes its examples from the operations of a folder, if there is one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'examples-'))
  writeFileSync(join(folder, 'b-two.graphql'), '{ b }')
  writeFileSync(join(folder, 'a.graphql'), '{ a }')
  writeFileSync(join(folder, 'a.json'), '{}')
  expect(examplesIn(folder)).toEqual([
    { name: 'a', query: '{ a }' },
    { name: 'b two', query: '{ b }' },
  ])
  rmSync(folder, { recursive: true })
  expect(examplesIn(folder)).toEqual([])
})
