import { hkdfSync } from 'node:crypto'
import type { SubgraphContext } from '../../../kernel/context'

/**
 * A key of 32 bytes for one use, which follows from the key that signs access tokens (HKDF-SHA-256).
 * @throws Error in a process that has no signing key: whoever knows that there is none could make what the key vouches for
 */
export function derivedKey({ services }: Pick<SubgraphContext, 'services'>, use: string): Buffer {
  const secret = services.keys.privateKey?.export({ format: 'jwk' }).d
  if (!secret)
    throw new Error('Sign-ins need the key that signs access tokens: set TOKEN_PRIVATE_KEY in this process')
  return Buffer.from(hkdfSync('sha256', Buffer.from(secret, 'base64url'), '', use, 32))
}
