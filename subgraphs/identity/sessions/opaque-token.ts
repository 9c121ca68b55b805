import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { isUuid } from '../../../kernel/id'

/**
 * A refresh token or invitation in parts. Tenant and id stand in it in clear, so that it is found without looking across
 * tenants.
 */
export interface OpaqueToken {
  tenantId: string
  /** Of the refresh token, or of the user invited. */
  tokenId: string
  /** 256 bits. */
  secret: Buffer
}

export function formatToken({ tenantId, tokenId, secret }: OpaqueToken): string {
  return `${tenantId}.${tokenId}.${secret.toString('base64url')}`
}

/** Null for what is no such token. */
export function parseToken(text: string): OpaqueToken | null {
  const [, tenantId = '', tokenId = '', secret = ''] =
    /^([^.]{36})\.([^.]{36})\.([\w-]{43})$/.exec(text) ?? []
  if (!isUuid(tenantId) || !isUuid(tokenId)) return null
  return {
    tenantId: tenantId.toLowerCase(),
    tokenId: tokenId.toLowerCase(),
    secret: Buffer.from(secret, 'base64url'),
  }
}

export function newSecret(): Buffer {
  return randomBytes(32)
}

/**
 * The secret of the token that follows: HMAC-SHA-256 of its id under the present secret. Whoever comes with the same
 * token within the time for repeats gets the same successor, and no secret is stored to make that possible. Its id has
 * 74 random bits and is known only to the database and to who receives it, so an old token alone leads nowhere.
 */
export function successorSecret(secret: Buffer, successorId: string): Buffer {
  return createHmac('sha256', secret).update(`tenantgraph refresh token ${successorId}`).digest()
}

/** Returns what is stored of a secret: SHA-256, in hexadecimal. */
export function hashSecret(secret: Buffer): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** Tells whether the secret has this hash, in a time that does not depend on where they differ. */
export function secretMatches(secret: Buffer, hash: string): boolean {
  return timingSafeEqual(Buffer.from(hashSecret(secret), 'hex'), Buffer.from(hash, 'hex'))
}
