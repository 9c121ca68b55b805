import { createHash, randomBytes } from 'node:crypto'
import type { BlobStore, TenantBlobs } from '../../kernel/blobs/blob-store'
import { tenantScope } from '../../kernel/connection/binding'

export interface BlobsUnderTest {
  store: BlobStore
  /** Changes one byte of the content of a stored file, behind the store's back. */
  damage(tenantId: string, key: string): Promise<void>
}

const acme = '11111111-1111-4111-8111-111111111111'
const globex = '22222222-2222-4222-8222-222222222222'
const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex')

async function* chunks(content: Uint8Array, size = 70_000): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
}

export async function all(source: AsyncIterable<unknown> | null | undefined): Promise<Buffer | null> {
  if (!source) return null
  const parts: Buffer[] = []
  for await (const part of source) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

const read = async (blobs: TenantBlobs, key: string) => all((await blobs.get(key))?.body)

async function keys(blobs: TenantBlobs, prefix: string): Promise<string[]> {
  const found: string[] = []
  for await (const key of blobs.list(prefix)) found.push(key)
  return found
}

/** What every store of files keeps, whatever it is made of. `open` gives an empty store. */
export function blobContract(open: () => Promise<BlobsUnderTest>): void {
  let store: BlobStore
  let damage: BlobsUnderTest['damage']
  let own: TenantBlobs
  let others: TenantBlobs

  beforeEach(async () => {
    ;({ store, damage } = await open())
    own = store.of(acme)
    others = store.of(globex)
  })

  afterEach(() => store.close())

  test('answers', async () => {
    await expect(store.ping()).resolves.toBeUndefined()
  })

  test('gives back what was stored, and says what it is', async () => {
    const content = randomBytes(300_001)
    const info = { bytes: 300_001, sha256: sha256(content), contentType: 'image/png' }
    expect(await own.put('a/b.png', chunks(content), { contentType: 'image/png' })).toEqual(info)
    expect(await own.info('a/b.png')).toEqual(info)
    const found = await own.get('a/b.png')
    expect(found).toMatchObject(info)
    expect((await all(found!.body))!.equals(content)).toBe(true)
  })

  test('stores a file of nothing, and knows none where there is none', async () => {
    expect(await own.put('empty', [])).toEqual({
      bytes: 0,
      sha256: sha256(Buffer.alloc(0)),
      contentType: 'application/octet-stream',
    })
    expect(await read(own, 'empty')).toEqual(Buffer.alloc(0))
    expect(await own.get('none')).toBeNull()
    expect(await own.info('none')).toBeNull()
    expect(await own.get('empty/none')).toBeNull()
  })

  test('replaces a file, and removes it, which may be done twice', async () => {
    await own.put('a', [Buffer.from('first')])
    await own.put('a', [Buffer.from('2nd')])
    expect(String(await read(own, 'a'))).toBe('2nd')
    await own.delete('a')
    await own.delete('a')
    expect(await own.get('a')).toBeNull()
  })

  test('takes a key that another key begins with', async () => {
    await own.put('a', [Buffer.from('1')])
    await own.put('a/b', [Buffer.from('2')])
    await own.put('a/b/c', [Buffer.from('3')])
    expect(await Promise.all(['a', 'a/b', 'a/b/c'].map(async (key) => String(await read(own, key))))).toEqual(
      ['1', '2', '3'],
    )
  })

  test('lists the keys below a prefix in their order, many and none', async () => {
    const wanted = ['p/a', 'p/b/x', 'p/c-d', 'p/e.f', 'p/z/y/x']
    for (const key of [...wanted].reverse()) await own.put(key, [])
    await own.put('pq/a', [])
    await others.put('p/other', [])
    expect(await keys(own, 'p/')).toEqual(wanted)
    expect(await keys(own, 'p/b/')).toEqual(['p/b/x'])
    expect(await keys(own, 'none/')).toEqual([])
    expect(await keys(own, '')).toEqual([...wanted, 'pq/a'])
  })

  test('refuses what is larger than allowed, or is not what was said, and keeps what was there', async () => {
    await own.put('a', [Buffer.from('before')])
    const content = randomBytes(200_000)
    await expect(own.put('a', chunks(content), { mostBytes: 199_999 })).rejects.toMatchObject({
      code: 'TOO_LARGE',
    })
    await expect(own.put('a', chunks(content), { sha256: sha256(randomBytes(1)) })).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    })
    const failing = (async function* () {
      yield content
      throw new Error('the client is gone')
    })()
    await expect(own.put('a', failing)).rejects.toThrow('the client is gone')
    expect(String(await read(own, 'a'))).toBe('before')
    expect(await keys(own, 'a/')).toEqual([])
    const exact = { mostBytes: 200_000, sha256: sha256(content) }
    expect(await own.put('a', chunks(content), exact)).toMatchObject({ bytes: 200_000 })
  })

  test('reads no more of an endless source than is allowed', async () => {
    let given = 0
    const endless = (async function* () {
      for (;;) {
        given += 65_536
        yield Buffer.alloc(65_536)
      }
    })()
    await expect(own.put('a', endless, { mostBytes: 1_000_000 })).rejects.toMatchObject({ code: 'TOO_LARGE' })
    expect(given).toBeLessThan(3_000_000)
    expect(await own.get('a')).toBeNull()
  })

  test('notices one changed byte', async () => {
    const content = randomBytes(100_000)
    await own.put('a', chunks(content))
    await damage(acme, 'a')
    await expect(read(own, 'a')).rejects.toMatchObject({ code: 'DAMAGED' })
  })

  test('shows no tenant what is another’s', async () => {
    await others.put('secret', [Buffer.from('theirs')])
    expect(await own.get('secret')).toBeNull()
    expect(await own.info('secret')).toBeNull()
    await own.put('secret', [Buffer.from('ours')])
    await own.delete('secret')
    expect(String(await read(others, 'secret'))).toBe('theirs')
  })

  test.each([
    `../${globex}/secret`,
    `/${globex}/secret`,
    `a/../../${globex}/secret`,
    `..%2f${globex}%2fsecret`,
    `a\\..\\${globex}`,
    '',
    '.',
    '..',
    'a//b',
    'a/',
    'a/.hidden',
    'A',
    'a?b',
    'a#b',
    'a b',
    'ä',
    'a\0',
    'a\nb',
    'a'.repeat(401),
  ])('has no key %j', async (key) => {
    await others.put('secret', [Buffer.from('theirs')])
    const invalid = { code: 'INVALID' }
    await expect(own.put(key, [])).rejects.toMatchObject(invalid)
    await expect(own.get(key)).rejects.toMatchObject(invalid)
    await expect(own.info(key)).rejects.toMatchObject(invalid)
    await expect(own.delete(key)).rejects.toMatchObject(invalid)
    if (!['', 'a/'].includes(key)) await expect(keys(own, key)).rejects.toMatchObject(invalid)
    await expect(own.downloadUrl(key, { seconds: 60, fileName: 'x' })).rejects.toMatchObject(invalid)
    expect(String(await read(others, 'secret'))).toBe('theirs')
  })

  test('takes the longest key', async () => {
    const key = 'abcdefghi/'.repeat(39) + 'abcdefghij'
    expect(key).toHaveLength(400)
    await own.put(key, [Buffer.from('deep')])
    expect(String(await read(own, key))).toBe('deep')
  })

  test('serves code that runs for a tenant with that tenant’s files alone', async () => {
    await tenantScope.run(acme, () => own.put('a', []))
    await expect(tenantScope.run(globex, () => own.get('a'))).rejects.toThrow('another tenant')
    await expect(tenantScope.run(null, () => own.get('a'))).rejects.toThrow('another tenant')
    expect(await tenantScope.run(acme, () => own.info('a'))).toMatchObject({ bytes: 0 })
    expect(() => store.of('acme')).toThrow('UUID')
  })

  test.each([
    { contentType: 'text/html\r\nx-evil: 1' },
    { contentType: 'text' },
    { sha256: 'ABC' },
    { sha256: sha256(Buffer.alloc(0)).toUpperCase() },
  ])('refuses %j', async (options) => {
    await expect(own.put('a', [], options)).rejects.toMatchObject({ code: 'INVALID' })
    expect(await own.get('a')).toBeNull()
  })

  test('keeps what several write at once apart', async () => {
    const contents = Array.from({ length: 10 }, () => randomBytes(80_000))
    await Promise.all(contents.map((content, place) => own.put(`many/${place}`, chunks(content))))
    for (const [place, content] of contents.entries())
      expect((await read(own, `many/${place}`))!.equals(content)).toBe(true)
  })

  test.each([0, 86_401, 1.5, NaN])('gives no address for %s seconds', async (seconds) => {
    await expect(own.downloadUrl('a', { seconds, fileName: 'a' })).rejects.toMatchObject({ code: 'INVALID' })
  })
}
