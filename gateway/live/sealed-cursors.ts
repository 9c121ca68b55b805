import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** Places in the changes of a tenant as clients hold them: equal places look different, and none tells how many changes there were. */
export interface SealedCursors {
  seal(tenantId: string, position: number): string
  /** The position; null for what is no cursor of this tenant. */
  open(tenantId: string, cursor: string): number | null
}

const [ivBytes, tagBytes, positionBytes] = [12, 16, 8]

/** @param secret known to the gateways alone, which all open each other's cursors */
export function sealedCursors(secret: string): SealedCursors {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'cursors of streams', 32))
  return {
    seal(tenantId, position) {
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(tenantId))
      const plain = Buffer.alloc(positionBytes)
      plain.writeBigUInt64BE(BigInt(position))
      return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString(
        'base64url',
      )
    },
    open(tenantId, cursor) {
      const bytes = Buffer.from(cursor, 'base64url')
      if (bytes.length !== ivBytes + positionBytes + tagBytes) return null
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes), {
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
