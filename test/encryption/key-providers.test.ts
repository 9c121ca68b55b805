import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KeyProvider } from '../../kernel/encryption/key-provider'
import { keyRing, newKeyRing, readKeyRing } from '../../kernel/encryption/key-ring'
import { openDataKeys } from '../../kernel/encryption/open-keys'
import { transitKeys } from '../../kernel/encryption/transit-keys'

/** A key service as Vault's Transit engine answers: versions of one key, associated data, a token. */
function transitServer(): Promise<{ server: Server; url: string; rotate: () => void }> {
  const versions = [randomBytes(32)]
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const send = (status: number, data: object) => {
        response.writeHead(status, { 'content-type': 'application/json' })
        response.end(JSON.stringify(data))
      }
      if (request.headers['x-vault-token'] !== 'token') return send(403, { errors: ['permission denied'] })
      const [, , , action, name] = request.url!.split('/')
      if (name !== 'graph') return send(404, { errors: [] })
      if (action === 'keys') return send(200, { data: { latest_version: versions.length } })
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string>
      const aad = Buffer.from(body['associated_data']!, 'base64')
      if (action === 'encrypt') {
        const iv = randomBytes(12)
        const cipher = createCipheriv('aes-256-gcm', versions.at(-1)!, iv).setAAD(aad)
        const text = Buffer.concat([cipher.update(body['plaintext']!, 'base64'), cipher.final()])
        const ciphertext = Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64')
        return send(200, { data: { ciphertext: `vault:v${versions.length}:${ciphertext}` } })
      }
      const [, version, encoded] = body['ciphertext']!.split(':')
      const sealed = Buffer.from(encoded!, 'base64')
      try {
        const decipher = createDecipheriv(
          'aes-256-gcm',
          versions[Number(version!.slice(1)) - 1]!,
          sealed.subarray(0, 12),
        )
        decipher.setAAD(aad).setAuthTag(sealed.subarray(12, 28))
        const plain = Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()])
        return send(200, { data: { plaintext: plain.toString('base64') } })
      } catch {
        return send(400, { errors: ['cipher: message authentication failed'] })
      }
    })
  })
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      resolve({
        server,
        url: `http://127.0.0.1:${port}/v1/transit`,
        rotate: () => void versions.push(randomBytes(32)),
      })
    }),
  )
}

let transit: Awaited<ReturnType<typeof transitServer>>
let folder: string
beforeAll(async () => {
  transit = await transitServer()
  folder = mkdtempSync(join(tmpdir(), 'keys-'))
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await new Promise((resolve) => transit.server.close(resolve))
})

/** Each implementation: before and after its master key was exchanged for a new one. */
const providers: readonly [string, () => { before: KeyProvider; after: () => KeyProvider }][] = [
  [
    'keys of the environment',
    () => {
      const [former, present] = [newKeyRing(new Date('2025-01-01')), newKeyRing(new Date('2026-01-01'))]
      return {
        before: keyRing(readKeyRing(former.trim())),
        after: () => keyRing(readKeyRing(`${present.trim()},${former.trim()}`)),
      }
    },
  ],
  [
    'keys of a file',
    () => {
      const file = join(folder, 'master.keys')
      writeFileSync(file, newKeyRing(new Date('2025-01-01')), { mode: 0o600 })
      const open = () =>
        openDataKeys(
          {
            dataDir: folder,
            nodeEnv: 'production',
            encryptionKeys: null,
            encryptionKeyFile: file,
            encryptionTransit: null,
          },
          () => undefined,
        ).provider
      return {
        before: open(),
        after: () => {
          writeFileSync(
            file,
            `# the present one first\n${newKeyRing(new Date('2026-01-01'))}${readFileSync(file, 'utf8')}`,
          )
          return open()
        },
      }
    },
  ],
  [
    'a key service',
    () => {
      const provider = () => transitKeys({ url: transit.url, key: 'graph', token: 'token' })
      return {
        before: provider(),
        after: () => {
          transit.rotate()
          return provider()
        },
      }
    },
  ],
]

describe.each(providers)('C6 %s', (_, make) => {
  test('wrap a key for one place: it opens there, and nowhere else', async () => {
    const { before } = make()
    const key = randomBytes(32)
    const wrapped = await before.wrap(key, 'tenant a')
    expect(wrapped.masterKeyId).toBe(await before.currentKeyId())
    expect(JSON.stringify(wrapped)).not.toContain(key.toString('base64').slice(0, 20))
    expect(await before.unwrap(wrapped, 'tenant a')).toEqual(key)
    await expect(before.unwrap(wrapped, 'tenant b')).rejects.toThrow()
    const changed =
      wrapped.wrapped.slice(0, -6) + (wrapped.wrapped.at(-6) === 'A' ? 'B' : 'A') + wrapped.wrapped.slice(-5)
    await expect(before.unwrap({ ...wrapped, wrapped: changed }, 'tenant a')).rejects.toThrow()
    expect((await before.wrap(key, 'tenant a')).wrapped).not.toBe(wrapped.wrapped)
  })

  test('unwrap with the former master key, and wrap with the present one', async () => {
    const { before, after } = make()
    const key = randomBytes(32)
    const wrapped = await before.wrap(key, 'tenant a')
    const present = after()
    expect(await present.currentKeyId()).not.toBe(wrapped.masterKeyId)
    expect(await present.unwrap(wrapped, 'tenant a')).toEqual(key)
    const anew = await present.wrap(key, 'tenant a')
    expect(anew.masterKeyId).toBe(await present.currentKeyId())
    expect(await present.unwrap(anew, 'tenant a')).toEqual(key)
  })

  test('name the master key that is not there', async () => {
    const { before } = make()
    const wrapped = { ...(await before.wrap(randomBytes(32), 'a')), masterKeyId: 'lost' }
    await expect(before.unwrap(wrapped, 'a')).rejects.toThrow(/lost/)
  })
})

test('a key service that does not answer or refuses is told apart, and nothing secret is repeated', async () => {
  const gone = transitKeys({ url: 'http://127.0.0.1:1/v1/transit', key: 'graph', token: 's3cret' })
  await expect(gone.currentKeyId()).rejects.toMatchObject({ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } })
  const refused = transitKeys({ url: transit.url, key: 'graph', token: 's3cret' })
  await expect(refused.currentKeyId()).rejects.toThrow('The key service refused keys with graph: HTTP 403')
})

test.each([
  ['', /must be name:key/],
  ['main', /must be name:key/],
  ['main:c2hvcnQ=', /must be name:key/],
  [`main:${'A'.repeat(43)}=,main:${'B'.repeat(43)}=`, /names the key main twice/],
])('a key ring %p is refused without repeating a key', (text, message) => {
  expect(() => readKeyRing(text)).toThrow(message)
  expect(() => readKeyRing(text)).not.toThrow(/c2hvcnQ/)
})

describe('without configured keys', () => {
  const settings = (nodeEnv: 'development' | 'production', dataDir: string) => ({
    dataDir,
    nodeEnv,
    encryptionKeys: null,
    encryptionKeyFile: null,
    encryptionTransit: null,
  })

  test('a file is made once, for its owner alone, and said', async () => {
    const dataDir = mkdtempSync(join(folder, 'data-'))
    const lines: string[] = []
    const first = openDataKeys(settings('development', dataDir), (line) => lines.push(line)).provider
    const second = openDataKeys(settings('development', dataDir), (line) => lines.push(line)).provider
    const file = join(dataDir, 'keys', 'encryption.keys')
    expect(lines).toEqual([
      `made a key for encrypted columns in ${file}: keep a copy of it, without it they cannot be read`,
    ])
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const key = randomBytes(32)
    expect(await second.unwrap(await first.wrap(key, 'a'), 'a')).toEqual(key)
  })

  test('production refuses and says what to set', () => {
    const dataDir = mkdtempSync(join(folder, 'data-'))
    expect(() => openDataKeys(settings('production', dataDir), () => undefined)).toThrow(
      /^Set ENCRYPTION_KEYS, ENCRYPTION_KEY_FILE or ENCRYPTION_TRANSIT_URL: in production no key/,
    )
  })

  test('a file that others can read, or that is spoilt, is refused', () => {
    const dataDir = mkdtempSync(join(folder, 'data-'))
    const file = join(dataDir, 'open.keys')
    writeFileSync(file, newKeyRing(new Date()), { mode: 0o644 })
    const named = { ...settings('production', dataDir), encryptionKeyFile: file }
    expect(() => openDataKeys(named, () => undefined)).toThrow(/can be read by others: chmod 600/)
    const spoilt = join(dataDir, 'spoilt.keys')
    writeFileSync(spoilt, 'main:short', { mode: 0o600 })
    expect(() => openDataKeys({ ...named, encryptionKeyFile: spoilt }, () => undefined)).toThrow(/Restore it/)
    expect(() => openDataKeys({ ...named, encryptionKeyFile: `${spoilt}.gone` }, () => undefined)).toThrow(
      /no such file/,
    )
  })
})
