import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import S3rver from 's3rver'
import { openBlobs } from '../../kernel/blobs/open-blobs'
import { all, blobContract } from './contract'

const acme = '11111111-1111-4111-8111-111111111111'
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'blobs-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function flip(file: string, at: number): void {
  const content = readFileSync(file)
  content[at]! ^= 1
  writeFileSync(file, content)
}

describe('files in a folder', () => {
  const open = () => openBlobs({ s3: null, dataDir: folder })
  const fileOf = (tenantId: string, key: string) => join(folder, 'blobs', tenantId, `${key}@`)

  blobContract(async () => ({
    store: open(),
    damage: async (tenantId, key) => flip(fileOf(tenantId, key), 70_000),
  }))

  test('are for their owner only, and leave nothing half beside them', async () => {
    const own = open().of(acme)
    await own.put('a/b', [Buffer.from('text')], { contentType: 'text/plain; charset=utf-8' })
    await expect(own.put('a/c', [Buffer.from('text')], { mostBytes: 3 })).rejects.toThrow()
    expect(readdirSync(join(folder, 'blobs', acme, 'a'))).toEqual(['b@'])
    expect(statSync(fileOf(acme, 'a/b')).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'blobs', acme)).mode & 0o777).toBe(0o700)
    const [head, content] = readFileSync(fileOf(acme, 'a/b'), 'utf8').split('\n')
    expect(JSON.parse(head!)).toMatchObject({ bytes: 4, contentType: 'text/plain; charset=utf-8' })
    expect(content).toBe('text')
  })

  test('say so when their beginning is lost', async () => {
    const own = open().of(acme)
    await own.put('a', [Buffer.from('text')])
    writeFileSync(fileOf(acme, 'a'), 'text')
    await expect(own.info('a')).rejects.toMatchObject({ code: 'DAMAGED' })
    await expect(own.get('a')).rejects.toMatchObject({ code: 'DAMAGED' })
  })

  test('are in the order of bytes, folders too', async () => {
    const own = open().of(acme)
    const wanted = ['p/a', 'p/a-b', 'p/a.b', 'p/a/x', 'p/a0', 'p/a_', 'p/z/y/x']
    for (const key of [...wanted].reverse()) await own.put(key, [])
    const found: string[] = []
    for await (const key of own.list('p/')) found.push(key)
    expect(found).toEqual(wanted)
  })

  test('are whole, whoever writes at the same time', async () => {
    const own = open().of(acme)
    const texts = Array.from({ length: 10 }, (_, place) => String(place).repeat(80_000))
    await Promise.all(texts.map((text) => own.put('one', [Buffer.from(text)])))
    expect(texts).toContain(String(await all((await own.get('one'))!.body)))
  })

  test('have no address', async () => {
    const own = open().of(acme)
    await own.put('a', [])
    expect(await own.downloadUrl('a', { seconds: 60, fileName: 'a.txt' })).toBeNull()
  })
})

describe('files in a bucket', () => {
  let server: S3rver
  let port: number
  const keys = { region: 'us-east-1', accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }
  const open = (more: Partial<typeof keys & { url: string }> = {}) =>
    openBlobs({ s3: { url: `http://127.0.0.1:${port}/files`, ...keys, ...more }, dataDir: folder })

  beforeEach(async () => {
    server = new S3rver({
      port: 0,
      address: '127.0.0.1',
      silent: true,
      directory: folder,
      configureBuckets: [{ name: 'files', configs: [] }],
    })
    ;({ port } = await server.run())
  })

  afterEach(() => server.close())

  blobContract(async () => ({
    store: open(),
    damage: async (tenantId, key) => flip(join(folder, 'files', tenantId, `${key}._S3rver_object`), 70_000),
  }))

  test('have an address that gives them to whoever has it', async () => {
    const own = open().of(acme)
    await own.put('a', [Buffer.from('text')], { contentType: 'text/html' })
    const url = (await own.downloadUrl('a', { seconds: 60, fileName: "Größe '1'/2.html" }))!
    const answer = await fetch(url)
    expect([answer.status, await answer.text()]).toEqual([200, 'text'])
    expect(answer.headers.get('content-disposition')).toBe(
      "attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%271%27_2.html",
    )
    const { searchParams } = new URL(url)
    expect(searchParams.get('X-Amz-Expires')).toBe('60')
    expect(searchParams.get('X-Amz-Signature')).toBe(
      signatureOf({ method: 'GET', url, headers: {} }, 'S3RVER'),
    )
  })

  test('are closed to an unknown key', async () => {
    const more = { accessKeyId: 'nobody' }
    await expect(open(more).ping()).rejects.toMatchObject({ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } })
    await expect(open(more).of(acme).put('a', [])).rejects.toMatchObject({
      extensions: { code: 'SUBGRAPH_UNAVAILABLE' },
    })
    expect(await open().of(acme).get('a')).toBeNull()
  })

  test('say so when there is no bucket', async () => {
    const store = open({ url: `http://127.0.0.1:${port}/none` })
    for (const work of [store.ping(), store.of(acme).get('a'), store.of(acme).put('a', [])])
      await expect(work).rejects.toMatchObject({ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } })
  })
})

/** The signature of a request as AWS describes it (Signature Version 4), worked out anew. */
function signatureOf(
  { method, url, headers }: { method: string; url: string; headers: Readonly<Record<string, unknown>> },
  secret: string,
): string {
  const { searchParams, pathname, host } = new URL(url)
  const given = /Credential=[^/]+\/(?<scope>[^,]+), SignedHeaders=(?<names>[^,]+)/.exec(
    String(headers['authorization'] ?? ''),
  )?.groups ?? {
    scope: searchParams.get('X-Amz-Credential')!.split('/').slice(1).join('/'),
    names: searchParams.get('X-Amz-SignedHeaders')!,
  }
  searchParams.delete('X-Amz-Signature')
  const encode = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
  const query = [...searchParams].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort()
  const named = given['names']!.split(';').map(
    (name) => `${name}:${name === 'host' ? host : String(headers[name])}\n`,
  )
  const canonical = [
    ...[method, pathname, query.join('&'), named.join(''), given['names']],
    headers['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD',
  ].join('\n')
  const date = String(headers['x-amz-date'] ?? searchParams.get('X-Amz-Date'))
  const digest = createHash('sha256').update(canonical).digest('hex')
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
  const key = given['scope']!.split('/').reduce<string | Buffer>(hmac, `AWS4${secret}`)
  return hmac(key, ['AWS4-HMAC-SHA256', date, given['scope'], digest].join('\n')).toString('hex')
}

interface Asked {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: string
}

/** A bucket that answers as told. */
async function bucket(answer: (asked: Asked, count: number) => { status: number; body?: string }) {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const one = { method, url: `http://${headers.host}${url}`, headers, body }
      asked.push(one)
      const { status, body: text } = answer(one, asked.length)
      response.statusCode = status
      response.end(text)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const s3 = {
    url: `http://127.0.0.1:${port}/b`,
    region: 'eu-x-1',
    accessKeyId: 'a',
    secretAccessKey: 'b+/c',
  }
  return {
    own: openBlobs({ s3, dataDir: folder }).of(acme),
    asked,
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}

describe('requests to a bucket', () => {
  test('are signed, content included', async () => {
    const { own, asked, close } = await bucket(() => ({ status: 200 }))
    const content = Buffer.from('text')
    await own.put('a/b.c', [content], { contentType: 'text/plain' })
    await own.delete('a/b.c')
    for await (const _ of own.list('a/'));
    await close()
    expect(asked.map(({ method }) => method)).toEqual(['PUT', 'DELETE', 'GET'])
    for (const one of asked)
      expect(String(one.headers.authorization).split('Signature=')[1]).toBe(signatureOf(one, 'b+/c'))
    const digest = createHash('sha256').update(content).digest('hex')
    expect(asked[0]!.headers).toMatchObject({
      'x-amz-content-sha256': digest,
      'x-amz-meta-sha256': digest,
      'content-length': '4',
      'content-type': 'text/plain',
    })
  })

  test.each([
    ['that stumbles are repeated', 2, true],
    ['of a bucket that is down end', 9, false],
  ])('%s', async (_, failures, isAnswered) => {
    const { own, asked, close } = await bucket((_one, count) => ({ status: count > failures ? 200 : 503 }))
    const storing = own.put('a', [Buffer.from('text')])
    if (isAnswered) expect(await storing).toMatchObject({ bytes: 4 })
    else await expect(storing).rejects.toMatchObject({ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } })
    await close()
    expect(asked.map(({ body }) => body)).toEqual(['text', 'text', 'text'])
  })

  test('go on where a list was cut', async () => {
    const pages: Record<string, string> = {
      '': `<Key>${acme}/p/a</Key><Key>${acme}/p/b</Key><NextContinuationToken>x+/=y</NextContinuationToken>`,
      'x+/=y': `<Key>${acme}/p/c</Key>`,
    }
    const { own, asked, close } = await bucket(({ url }) => ({
      status: 200,
      body: pages[new URL(url).searchParams.get('continuation-token') ?? '']!,
    }))
    const found: string[] = []
    for await (const key of own.list('p/')) found.push(key)
    await close()
    expect(found).toEqual(['p/a', 'p/b', 'p/c'])
    for (const one of asked)
      expect(String(one.headers.authorization).split('Signature=')[1]).toBe(signatureOf(one, 'b+/c'))
  })
})
