import { LRUCache } from 'lru-cache'
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** Places in the changes of a tenant as clients hold them: equal places look different, and none tells how many changes there were. */
export interface SealedCursors {
  seal(tenantId: string, position: number): string
  /** The position; null for what is no cursor of this tenant. */
  open(tenantId: string, cursor: string): number | null
}

const [ivBytes, tagBytes, positionBytes] = [12, 16, 8]

/** Keys that are kept: each is made again when it is needed. */
const mostKeys = 1000

/**
 * Cursors under a key of their own for each tenant: what one tenant is sent brings no other's nonces closer to a repetition.
 * @param secret known to the gateways alone, which all open each other's cursors
 */
export function sealedCursors(secret: string): SealedCursors {
  const keys = new LRUCache<string, Buffer>({ max: mostKeys })
  const keyOf = (tenantId: string): Buffer => {
    let key = keys.get(tenantId)
    if (!key) {
      key = Buffer.from(hkdfSync('sha256', secret, '', `cursors of streams of ${tenantId}`, 32))
      keys.set(tenantId, key)
    }
    return key
  }
  return {
    seal(tenantId, position) {
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', keyOf(tenantId), iv).setAAD(Buffer.from(tenantId))
      const plain = Buffer.alloc(positionBytes)
      plain.writeBigUInt64BE(BigInt(position))
      return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString(
        'base64url',
      )
    },
    open(tenantId, cursor) {
      const bytes = Buffer.from(cursor, 'base64url')
      if (bytes.length !== ivBytes + positionBytes + tagBytes) return null
      const decipher = createDecipheriv('aes-256-gcm', keyOf(tenantId), bytes.subarray(0, ivBytes), {
        authTagLength: tagBytes,
      })
      decipher.setAAD(Buffer.from(tenantId))
      decipher.setAuthTag(bytes.subarray(-tagBytes))
      try {
        const plain = Buffer.concat([decipher.update(bytes.subarray(ivBytes, -tagBytes)), decipher.final()])
        return Number(plain.readBigUInt64BE())
      } catch {
        return null
      }
    },
  }
}
