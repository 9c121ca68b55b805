import type { KeyProvider, WrappedKey } from '../encryption/key-provider'

/** Names the place of a secret: it is unwrapped for no other operator. */
const placeOf = (operatorId: string) => `second factor|operator|${operatorId}`

/** The secret of an operator's authenticator as it is stored. Operators are in no tenant, so a master key wraps it by itself. */
export function wrapFactor(provider: KeyProvider, operatorId: string, secret: string): Promise<WrappedKey> {
  return provider.wrap(Buffer.from(secret), placeOf(operatorId))
}

/** @throws Error that names the master key when it is not there, or the secret was changed or is another operator's */
export async function unwrapFactor(
  provider: KeyProvider,
  operatorId: string,
  wrapped: WrappedKey,
): Promise<string> {
  return (await provider.unwrap(wrapped, placeOf(operatorId))).toString('utf8')
}
