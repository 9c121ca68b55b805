import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'

const algorithm = 'aes-256-gcm'
const ivBytes = 12
const tagBytes = 16
/** Bytes of every key. */
export const keyBytes = 32

/** Begins every encrypted value; a new form gets another number. */
const prefix = 'enc1'
const form = /^enc1:([0-9a-f-]{36}):([A-Za-z0-9_-]+)$/

/** Encrypts bytes with AES-256-GCM: a random nonce, the tag, then the text. `place` is associated data. */
export function seal(key: Buffer, place: string, plain: Buffer): Buffer {
  const iv = randomBytes(ivBytes)
  const cipher = createCipheriv(algorithm, key, iv).setAAD(Buffer.from(place))
  const text = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), text])
}

/** @throws Error when the bytes were changed, or were encrypted with another key or for another place */
export function open(key: Buffer, place: string, sealed: Buffer): Buffer {
  const decipher = createDecipheriv(algorithm, key, sealed.subarray(0, ivBytes), { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(place)).setAuthTag(sealed.subarray(ivBytes, ivBytes + tagBytes))
  return Buffer.concat([decipher.update(sealed.subarray(ivBytes + tagBytes)), decipher.final()])
}

/** A key of one purpose made from a data key (HKDF-SHA-256, RFC 5869), so that none serves two. */
function derived(key: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `tenantgraph ${purpose}`, keyBytes))
}

/**
 * A data key in memory. Let go, it is overwritten and refuses to work: what holds it must ask for it anew, instead of
 * encrypting with zeros.
 */
export class DataKey {
  private readonly encryption: Buffer
  private readonly comparison: Buffer
  private isGone = false

  /** @param bytes are the key's own from now on */
  constructor(
    readonly id: string,
    private readonly bytes: Buffer,
  ) {
    this.encryption = derived(bytes, 'values')
    this.comparison = derived(bytes, 'comparison')
  }

  /** A value as it is stored: form, id of the key, nonce with tag and text. */
  encrypt(place: string, plain: string): string {
    this.requirePresent()
    return `${prefix}:${this.id}:${seal(this.encryption, place, Buffer.from(plain)).toString('base64url')}`
  }

  /** @throws Error when the value belongs to another place or key, or was changed */
  decrypt(place: string, value: string): string {
    this.requirePresent()
    const [, id, text] = form.exec(value) ?? []
    if (id !== this.id || !text) throw new Error('An encrypted value was given to another key')
    return open(this.encryption, place, Buffer.from(text, 'base64url')).toString('utf8')
  }

  /** Equal for equal values of one column, and nothing else is told by it. */
  digest(column: string, plain: string): string {
    this.requirePresent()
    return createHmac('sha256', this.comparison).update(`${column}\0${plain}`).digest('base64url')
  }

  /** Wraps a key that is subordinate to this one. */
  wrap(place: string, key: Buffer): string {
    this.requirePresent()
    return seal(this.encryption, place, key).toString('base64url')
  }

  unwrap(place: string, wrapped: string): Buffer {
    this.requirePresent()
    return open(this.encryption, place, Buffer.from(wrapped, 'base64url'))
  }

  /** Overwrites the key. */
  letGo(): void {
    this.isGone = true
    for (const bytes of [this.bytes, this.encryption, this.comparison]) bytes.fill(0)
  }

  /** Passes the key itself on, to be wrapped by another one. */
  exposed(): Buffer {
    this.requirePresent()
    return Buffer.from(this.bytes)
  }

  private requirePresent(): void {
    if (this.isGone) throw new Error('A data key was let go while it was in use: ask again')
  }
}

/** The id of the data key that a stored value was encrypted with; null for a value in clear. */
export function keyIdOf(value: string): string | null {
  return form.exec(value)?.[1] ?? null
}

/** SQL that tells whether a text is encrypted, over an expression. */
export const isEncryptedSql = (expression: string): string => `${expression} LIKE '${prefix}:%'`
/** SQL of the id of the data key that an encrypted text was made with. */
export const keyIdSql = (expression: string): string => `split_part(${expression}, ':', 2)`
