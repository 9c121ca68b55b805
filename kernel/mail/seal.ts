import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import type { TokenKeys } from '../sign-in/token-keys'
import type { Mail } from './mail'

/** Keeps mails unreadable in the database, its backups and its replicas: they hold links that let people in. */
export interface MailSeal {
  /** @param place tenant and id of the row: a sealed mail opens nowhere else */
  close(place: MailPlace, mail: Mail): string
  /** @throws Error when it was closed for another place or under another key, or was changed */
  open(place: MailPlace, sealed: string): Mail
  /** Returns what is the same for all mails of a tenant to one address, and tells nobody the address. */
  recipient(tenantId: string, address: string): string
}

export interface MailPlace {
  tenantId: string
  id: string
}

const cipher = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

/**
 * A seal under a key that follows from the key that signs access tokens: AES-256-GCM, HKDF-SHA-256. It is never in the
 * database, every process that may write mails has it, and what is closed lives for days at most.
 * @throws Error in a process that has no signing key
 */
export function mailSeal({ privateKey }: Pick<TokenKeys, 'privateKey'>): MailSeal {
  const secret = privateKey?.export({ format: 'jwk' }).d
  if (!secret)
    throw new Error('Mails need the key that signs access tokens: set TOKEN_PRIVATE_KEY in this process')
  const derived = (use: string) =>
    Buffer.from(hkdfSync('sha256', Buffer.from(secret, 'base64url'), '', use, 32))
  const key = derived('tenantgraph mail 1')
  const placed = ({ tenantId, id }: MailPlace) => Buffer.from(`${tenantId} ${id}`.toLowerCase())
  return {
    close(place, mail) {
      const nonce = randomBytes(nonceBytes)
      const sealing = createCipheriv(cipher, key, nonce).setAAD(placed(place))
      const body = Buffer.concat([sealing.update(JSON.stringify(mail), 'utf8'), sealing.final()])
      return Buffer.concat([nonce, sealing.getAuthTag(), body]).toString('base64')
    },
    open(place, sealed) {
      const bytes = Buffer.from(sealed, 'base64')
      const opening = createDecipheriv(cipher, key, bytes.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      })
        .setAAD(placed(place))
        .setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes))
      const body = Buffer.concat([opening.update(bytes.subarray(nonceBytes + tagBytes)), opening.final()])
      return JSON.parse(body.toString('utf8')) as Mail
    },
    recipient: (tenantId, address) =>
      createHmac('sha256', derived('tenantgraph mail recipient 1'))
        .update(`${tenantId} ${address}`.toLowerCase())
        .digest('base64url'),
  }
}
