import { fork } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { transformFileSync } from '@swc/core'
import { projectRoot } from '../../kernel/process/config'
import { loadTokenKeys, privateKeyFromJwk } from '../../kernel/sign-in/token-keys'

let dataDir: string
let file: string

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'token-keys-'))
  file = join(dataDir, 'keys', 'access-token.json')
})

afterEach(() => rmSync(dataDir, { recursive: true }))

const load = () => loadTokenKeys({ dataDir, tokenPrivateKey: null, tokenPublicKeys: null })

describe('keys in the data directory', () => {
  test('are made on first start, for their owner alone, and stay', () => {
    const keys = load()
    expect(keys.publicKeys.get(keys.kid!)!.asymmetricKeyType).toBe('ed25519')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(join(dataDir, 'keys')).mode & 0o777).toBe(0o700)
    expect(readdirSync(join(dataDir, 'keys'))).toEqual(['access-token.json'])
    expect(load().kid).toBe(keys.kid)
  })

  test('are the same for processes that start together', async () => {
    const script = loadingScript()
    const starts = await Promise.all(Array.from({ length: 6 }, () => startProcess(script)))
    const go = Date.now() + 200
    const kids = await Promise.all(starts.map((start) => start(go)))
    expect(new Set(kids)).toEqual(new Set([load().kid]))
    expect(readdirSync(join(dataDir, 'keys'))).toEqual(['access-token.json'])
  })

  test('are exchanged by putting a new key in front: the former one is still accepted', () => {
    const former = load()
    const next = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
    const kept = JSON.parse(readFileSync(file, 'utf8')) as { keys: object[] }
    writeFileSync(file, JSON.stringify({ keys: [next, ...kept.keys] }))
    const both = load()
    expect(both.kid).not.toBe(former.kid)
    expect([...both.publicKeys.keys()]).toEqual([both.kid, former.kid])
  })

  test('that others can read are refused', () => {
    load()
    chmodSync(file, 0o640)
    expect(load).toThrow(
      `The token keys in ${file} cannot be used: the file can be read by others: chmod 600 it`,
    )
  })

  test('that are damaged are refused and left as they are', () => {
    load()
    writeFileSync(file, '{"keys":[')
    expect(load).toThrow(`The token keys in ${file} cannot be used`)
    expect(readFileSync(file, 'utf8')).toBe('{"keys":[')
  })
})

describe('keys of the configuration', () => {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  const other = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })

  test('are used, and none is made', () => {
    const keys = loadTokenKeys({
      dataDir,
      tokenPrivateKey: JSON.stringify(jwk),
      tokenPublicKeys: JSON.stringify({ keys: [other] }),
    })
    expect(keys.publicKeys.size).toBe(2)
    expect(keys.publicKeys.get(keys.kid!)!.export({ format: 'jwk' }).x).toBe(jwk.x)
    expect(existsSync(file)).toBe(false)
  })

  test('may be public only', () => {
    const keys = loadTokenKeys({
      dataDir,
      tokenPrivateKey: null,
      tokenPublicKeys: JSON.stringify({ keys: [other] }),
    })
    expect(keys).toMatchObject({ kid: null, privateKey: null })
    expect(existsSync(file)).toBe(false)
  })

  test('a key is named by its thumbprint (example of RFC 8037, appendix A)', () => {
    const example = {
      kty: 'OKP',
      crv: 'Ed25519',
      d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
      x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    }
    expect(privateKeyFromJwk(JSON.stringify(example)).asymmetricKeyType).toBe('ed25519')
    expect(
      loadTokenKeys({ dataDir, tokenPrivateKey: JSON.stringify(example), tokenPublicKeys: null }).kid,
    ).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })
})

/** A script that loads the keys at the instant it is told. Written whole before a process may read it. */
function loadingScript(): string {
  const script = join(dataDir, 'sign-in', 'load.js')
  for (const folder of ['sign-in', 'process']) mkdirSync(join(dataDir, folder))
  writeFileSync(join(dataDir, 'process', 'key-file.js'), compiled('kernel/process/key-file.ts'))
  writeFileSync(
    script,
    `${compiled('kernel/sign-in/token-keys.ts')}
process.on('message', ({ at, dataDir }) => {
  while (Date.now() < at);
  process.send(loadTokenKeys({ dataDir, tokenPrivateKey: null, tokenPublicKeys: null }).kid, () => process.disconnect())
})
process.send('ready')`,
  )
  return script
}

function compiled(file: string): string {
  return transformFileSync(join(projectRoot, file), {
    swcrc: false,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'commonjs' },
  }).code
}

/** A process of its own that loads the keys at a given instant and answers their name. */
async function startProcess(script: string): Promise<(at: number) => Promise<string>> {
  const child = fork(script)
  const message = () =>
    new Promise<string>((resolve, reject) => {
      child.once('message', (text) => resolve(String(text)))
      child.once('disconnect', () => reject(new Error('the process ended without a word')))
    })
  await message()
  return (at) => {
    const kid = message()
    child.send({ at, dataDir })
    return kid
  }
}
