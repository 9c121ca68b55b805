import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { examplesIn, explorer } from '../../gateway/http/explorer'
import { startTestGateway, type TestGateway } from './fixtures/start'

let gateway: TestGateway
const example = { name: 'tricky', query: '{ __typename } # </script><script>alert(1)</script>' }

beforeAll(async () => {
  gateway = await startTestGateway({ explorer: explorer([example]) })
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
  const paths = [...text.matchAll(/(?:src|href)="(graphql\/[^"]+)"/g)].map(([, path]) => `/${path}`)
  expect(paths).toHaveLength(6)
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
