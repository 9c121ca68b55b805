import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import { join } from 'node:path'
import { makeKeyFile, readKeyFile } from '../process/key-file'

/** The Ed25519 keys of access tokens: one signs, several are accepted while keys are exchanged. */
export interface TokenKeys {
  /** Name of the signing key: the thumbprint of its public part. Null where `privateKey` is. */
  kid: string | null
  /** Null in a process that only verifies (TOKEN_PUBLIC_KEYS without TOKEN_PRIVATE_KEY). */
  privateKey: KeyObject | null
  /** Every accepted key by its thumbprint; the signing key's public part is among them. */
  publicKeys: ReadonlyMap<string, KeyObject>
}

/** Describes what the configuration says of token keys. */
export interface TokenKeySettings {
  dataDir: string
  /** JWK; null for none. */
  tokenPrivateKey: string | null
  /** JWKS; null for none. */
  tokenPublicKeys: string | null
}

/**
 * The token keys: from the configuration when it names any, otherwise from `keys/access-token.json` in the data
 * directory, which is made on first start (0600, safe when two processes start together).
 *
 * @throws Error that says what to do when the file cannot be read, is open to others or is no set of Ed25519 keys
 */
export function loadTokenKeys(config: TokenKeySettings): TokenKeys {
  if (config.tokenPrivateKey || config.tokenPublicKeys) {
    const privateKey = config.tokenPrivateKey ? privateKeyFromJwk(config.tokenPrivateKey) : null
    return tokenKeys(privateKey, config.tokenPublicKeys ? publicKeysFromJwks(config.tokenPublicKeys) : [])
  }
  return keptKeys(join(config.dataDir, 'keys', 'access-token.json'), 'everybody signs in again')
}

/**
 * The keys kept in a file, which is made at the first call (0600, safe when two processes start together).
 * @param loss what happens when it is removed, for the message
 * @throws Error that says what to do when the file cannot be read, is open to others or is no set of Ed25519 keys
 */
export function keptKeys(file: string, loss: string): TokenKeys {
  return (
    keysInFile(file, loss) ??
    makeFile(file) ??
    keysInFile(file, loss) ??
    unusable(file, 'vanished while it was read')
  )
}

/** Keys from a signing key and further public keys. */
export function tokenKeys(privateKey: KeyObject | null, others: readonly KeyObject[] = []): TokenKeys {
  const accepted = privateKey ? [createPublicKey(privateKey), ...others] : others
  return {
    kid: privateKey ? thumbprint(createPublicKey(privateKey)) : null,
    privateKey,
    publicKeys: new Map(accepted.map((key) => [thumbprint(key), key])),
  }
}

/**
 * A private Ed25519 key from a JWK (RFC 8037, section 2) as JSON text.
 *
 * @throws Error that says what is wrong, worded to follow the variable's name; it never repeats the text
 */
export function privateKeyFromJwk(text: string): KeyObject {
  return privateKeyOf(
    jsonObject(text, 'must be one private Ed25519 key as JWK: {"kty":"OKP","crv":"Ed25519","d":…,"x":…}'),
  )
}

/**
 * Public Ed25519 keys from a JWKS (RFC 7517, section 5) as JSON text.
 *
 * @throws Error as `privateKeyFromJwk` does; also when the set holds a private key, which belongs elsewhere
 */
export function publicKeysFromJwks(text: string): KeyObject[] {
  const keys = jwksOf(
    text,
    'must be public Ed25519 keys as JWKS: {"keys":[{"kty":"OKP","crv":"Ed25519","x":…}]}',
  )
  if (keys.some((key) => 'd' in key))
    throw new Error('holds a private key: leave only the public members (kty, crv, x)')
  return keys.map(publicKeyOf)
}

/** The JWK thumbprint (RFC 7638; members of an OKP key: RFC 8037, appendix A.3). */
function thumbprint(key: KeyObject): string {
  const { crv, kty, x } = key.export({ format: 'jwk' })
  return createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url')
}

function privateKeyOf(jwk: JsonWebKey): KeyObject {
  const wrong = 'must be a private Ed25519 key: members kty "OKP", crv "Ed25519", d and x'
  if (!isEd25519(jwk) || typeof jwk.d !== 'string') throw new Error(wrong)
  let key: KeyObject
  try {
    key = createPrivateKey({ key: jwk, format: 'jwk' })
  } catch {
    throw new Error(wrong)
  }
  // Node derives the public part from d and does not look at x: others would verify with the wrong key.
  if (createPublicKey(key).export({ format: 'jwk' }).x !== jwk.x)
    throw new Error('has a public part (x) that does not belong to its private part (d)')
  return key
}

function publicKeyOf(jwk: JsonWebKey): KeyObject {
  const wrong = 'must hold Ed25519 keys only: members kty "OKP", crv "Ed25519" and x'
  if (!isEd25519(jwk)) throw new Error(wrong)
  try {
    return createPublicKey({ key: { kty: jwk.kty, crv: jwk.crv, x: jwk.x }, format: 'jwk' })
  } catch {
    throw new Error(wrong)
  }
}

function isEd25519(jwk: JsonWebKey): boolean {
  return jwk.kty === 'OKP' && jwk.crv === 'Ed25519' && typeof jwk.x === 'string'
}

function jwksOf(text: string, wrong: string): JsonWebKey[] {
  const { keys } = jsonObject(text, wrong) as { keys?: unknown }
  if (
    !Array.isArray(keys) ||
    keys.length === 0 ||
    keys.some((key) => typeof key !== 'object' || key === null)
  )
    throw new Error(wrong)
  return keys as JsonWebKey[]
}

function jsonObject(text: string, wrong: string): JsonWebKey {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as JsonWebKey
  } catch {
    // JSON's own message would repeat part of the key.
  }
  throw new Error(wrong)
}

/** The keys kept in a file: a JWKS whose first key signs and whose others are still accepted. Null: no such file. */
function keysInFile(file: string, loss: string): TokenKeys | null {
  const ifOthersRead = 'replace the key if others had access'
  const text = readKeyFile(file, { tooOpen: 0o077, ifOthersRead, unusable: (why) => unusable(file, why) })
  if (text === null) return null
  try {
    const [signing, ...retired] = jwksOf(text, 'must be a JWKS')
    return tokenKeys(privateKeyOf(signing!), retired.map(publicKeyOf))
  } catch (error) {
    return unusable(
      file,
      `${(error as Error).message}. Restore it, or remove it: a new key is made then and ${loss}`,
    )
  }
}

/** Writes a new key; null when another process was first. */
function makeFile(file: string): TokenKeys | null {
  const { privateKey } = generateKeyPairSync('ed25519')
  const isNew = makeKeyFile(file, JSON.stringify({ keys: [privateKey.export({ format: 'jwk' })] }))
  return isNew ? tokenKeys(privateKey) : null
}

function unusable(file: string, why: string): never {
  throw new Error(`The token keys in ${file} cannot be used: the file ${why}.`)
}
