import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readPersistedDocuments, type AcceptedDocuments } from '../../gateway/operations/persisted-documents'
import { startTestGateway, type Answer, type TestGateway } from './fixtures/start'

const user = 'query User($id: ID!) {\n  user(id: $id) {\n    name\n  }\n}'
const sha = (text: string) => createHash('sha256').update(text).digest('hex')
const hash = sha(user)

let folder: string
let gateway: TestGateway
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'documents-'))))
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => gateway?.close())

function manifest(name: string, operations: { id: string; body: string }[]): string {
  const file = join(folder, name)
  writeFileSync(
    file,
    JSON.stringify({
      format: 'apollo-persisted-query-manifest',
      version: 1,
      operations: operations.map((operation) => ({ ...operation, name: 'User', type: 'query' })),
    }),
  )
  return file
}

async function start(documents?: AcceptedDocuments): Promise<void> {
  const files = [
    manifest('a.json', [{ id: hash, body: user }]),
    manifest('b.json', [{ id: 'boom', body: 'query Boom { user(id: "2") { name } }' }]),
  ]
  gateway = await startTestGateway({ persistedDocuments: readPersistedDocuments(files), documents })
}

const post = (body: object) =>
  gateway.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
const get = (parameters: Record<string, string>) =>
  gateway.fetch(`/graphql?${new URLSearchParams(parameters).toString()}`, {
    headers: { 'apollo-require-preflight': 'true' },
  })
const said = ({ status, body }: Answer) =>
  body.errors ? [status, body.errors[0]?.extensions.code, body.errors[0]?.message] : [status, body.data]
const answered = [200, { user: { name: 'User 1' } }]
const byHash = (sha256Hash: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash } } })
const unknown = [400, 'PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound']

describe.each(['any', 'known'] as const)('G5: a document of the manifest, with DOCUMENTS=%s', (documents) => {
  beforeEach(() => start(documents))

  test('is named in the body, by its id, its hash, or as persisted queries do, again and again', async () => {
    const variables = { id: '1' }
    for (const named of [
      { documentId: hash },
      { documentId: `sha256:${hash}` },
      byHash(hash),
      { query: user },
    ])
      for (const _turn of [1, 2])
        expect([named, said(await post({ ...named, variables }))]).toEqual([named, answered])
    expect(said(await post({ documentId: 'boom' }))).toEqual([200, { user: { name: 'User 2' } }])
    expect(said(await post({ documentId: hash, variables, operationName: 'User' }))).toEqual(answered)
    expect(said(await post({ documentId: hash, variables, extensions: { trace: 1 } }))).toEqual(answered)
  })

  test('is named in the URL', async () => {
    const variables = JSON.stringify({ id: '1' })
    expect(said(await get({ documentId: hash, variables }))).toEqual(answered)
    expect(said(await get({ documentId: `sha256:${hash}`, variables, operationName: 'User' }))).toEqual(
      answered,
    )
    expect(said(await get({ extensions: JSON.stringify(byHash(hash).extensions), variables }))).toEqual(
      answered,
    )
  })

  test('needs its variables', async () => {
    expect(said(await post({ documentId: hash })).slice(0, 2)).toEqual([400, 'BAD_USER_INPUT'])
  })

  test('that nobody knows is not found, and a text beside it is refused', async () => {
    expect(said(await post({ documentId: sha('other') }))).toEqual(unknown)
    expect(said(await get({ documentId: 'other' }))).toEqual(unknown)
    expect(said(await post({ documentId: 7 }))).toEqual([400, 'BAD_USER_INPUT', 'documentId must be a text'])
    expect(said(await post({ documentId: hash, query: user }))).toEqual([
      400,
      'BAD_USER_INPUT',
      'Send either documentId or a text, not both',
    ])
    expect(said(await post(byHash(sha('other')))).slice(1, 2)).toEqual(['PERSISTED_QUERY_NOT_FOUND'])
  })
})

test('G5: any other text is executed, and automatic persisted queries work beside the manifest', async () => {
  await start()
  const text = '{ user(id: "1") { name } }'
  expect(said(await gateway.ask(text))).toEqual(answered)
  expect(said(await post({ query: text, ...byHash(sha(text)) }))).toEqual(answered)
  expect(said(await post(byHash(sha(text))))).toEqual(answered)
})

test('G5: with DOCUMENTS=known every other text is refused, whichever way it comes, and says what to do', async () => {
  await start('known')
  const text = '{ user(id: "1") { name } }'
  const refused = [
    400,
    'DOCUMENT_NOT_KNOWN',
    'Only documents that were registered are executed here: send documentId, or register this one in the manifest of persisted documents (PERSISTED_DOCUMENTS)',
  ]
  expect(said(await gateway.ask(text))).toEqual(refused)
  expect(said(await gateway.ask(`${user} `))).toEqual(refused)
  expect(said(await gateway.ask('{ __schema { types { name } } }'))).toEqual(refused)
  expect(said(await get({ query: text }))).toEqual(refused)
  expect(said(await post({ query: text, ...byHash(sha(text)) }))).toEqual(refused)
  expect(said(await post(byHash(sha(text))))).toEqual(unknown)
  expect((await gateway.ask('{ boom')).body.errors?.[0]?.extensions.code).toBe('DOCUMENT_NOT_KNOWN')
})

test('G5: a manifest that is none stops the start with its name', () => {
  const missing = join(folder, 'missing.json')
  expect(() => readPersistedDocuments([missing])).toThrow(`${missing} cannot be read as a manifest`)
  const other = join(folder, 'other.json')
  writeFileSync(other, '{"operations": []}')
  expect(() => readPersistedDocuments([other])).toThrow(
    `${other} is no manifest of persisted documents (format`,
  )
  const twice = [
    manifest('c.json', [{ id: 'x', body: '{ a }' }]),
    manifest('d.json', [{ id: 'x', body: '{ b }' }]),
  ]
  expect(() => readPersistedDocuments(twice)).toThrow(
    `${twice[1]}: the id x stands for another document already`,
  )
  expect(readPersistedDocuments([twice[0]!, twice[0]!]).size).toBe(1)
})

test('with DOCUMENTS=known-without-key programs with a key send any document, everybody else known ones', async () => {
  await start('known-without-key')
  const query = '{ user(id: "1") { name } }'
  const sent = (headers: Record<string, string>) =>
    gateway.ask(query, { headers }).then(({ status, body }) => [status, body.errors?.[0]?.extensions.code])
  expect(await sent({})).toEqual([400, 'DOCUMENT_NOT_KNOWN'])
  expect(await sent({ authorization: 'Bearer x' })).toEqual([400, 'DOCUMENT_NOT_KNOWN'])
  expect(await sent({ 'x-api-key': 'k' })).toEqual([200, undefined])
  expect(said(await post({ documentId: hash, variables: { id: '1' } }))).toEqual(answered)
})
