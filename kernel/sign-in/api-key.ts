import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** An API key in parts. Tenant and id stand in it in clear, so that it is found without looking across tenants. */
export interface ApiKeyText {
  tenantId: string
  keyId: string
  /** 256 bits. */
  secret: Buffer
}

/** Says for what kind of installation a key is, so that people see at once which one they hold. */
export type KeyEnvironment = 'live' | 'test'

/**
 * The form of every key, for scanners of secrets: its kind, tenant and id, secret, and a checksum over what is before it, by
 * which what only looks like a key is told from one.
 */
export const apiKeyPattern = /^tg_(live|test)_([0-9A-Za-z]{43})_([0-9A-Za-z]{43})_([0-9A-Za-z]{6})$/

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const bytesIn = 32
const lettersIn = 43

/** Bytes as a number of base 62, with zeros before it. */
function base62(bytes: Buffer, letters: number): string {
  let rest = BigInt(`0x${bytes.toString('hex')}`)
  let text = ''
  while (text.length < letters) {
    text = digits[Number(rest % 62n)]! + text
    rest /= 62n
  }
  return text
}

/** The 32 bytes of such a number; null when it is larger. */
function bytesOf(text: string): Buffer | null {
  let number = 0n
  for (const letter of text) number = number * 62n + BigInt(digits.indexOf(letter))
  const hex = number.toString(16).padStart(2 * bytesIn, '0')
  return hex.length > 2 * bytesIn ? null : Buffer.from(hex, 'hex')
}

function checksum(text: string): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc32(text))
  return base62(bytes, 6)
}

const bare = (id: string): string => id.replaceAll('-', '')
const uuidOf = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

/** A key as it is handed over, once. */
export function formatApiKey(environment: KeyEnvironment, { tenantId, keyId, secret }: ApiKeyText): string {
  const ids = Buffer.from(bare(keyId) + bare(tenantId), 'hex')
  const text = `tg_${environment}_${base62(ids, lettersIn)}_${base62(secret, lettersIn)}`
  return `${text}_${checksum(text)}`
}

/** The beginning of a key by which people recognise it; it tells nothing of the secret. */
export function apiKeyPrefix(key: string): string {
  return key.slice(0, 20)
}

/** A key in parts; null for what is none, or was mistyped. */
export function parseApiKey(key: string): ApiKeyText | null {
  const [, , ids = '', secretText = '', sum] = apiKeyPattern.exec(key) ?? []
  if (!sum || checksum(key.slice(0, -7)) !== sum) return null
  const [named, secret] = [bytesOf(ids)?.toString('hex'), bytesOf(secretText)]
  if (!named || !secret) return null
  return { keyId: uuidOf(named.slice(0, 32)), tenantId: uuidOf(named.slice(32)), secret }
}

export function newKeySecret(): Buffer {
  return randomBytes(bytesIn)
}

/** Returns what is stored of a key's secret: SHA-256, in hexadecimal. With 256 random bits it needs no slow hash. */
export function hashKeySecret(secret: Buffer): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** Tells whether a secret's hash is one of these, in a time that does not depend on where they differ. */
export function isOneOfHashes(given: string, hashes: readonly (string | null)[]): boolean {
  const bytes = Buffer.from(given, 'hex')
  return hashes
    .map((hash) => hash !== null && timingSafeEqual(bytes, Buffer.from(hash, 'hex')))
    .includes(true)
}
