import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction, Values } from '../../../kernel/mutate'
import type { User } from '../entities/User'
import { invitationMs } from '../rules/invitation'
import { formatToken, hashSecret, newSecret } from './opaque-token'

/** No invitation: what is left of one that was accepted or withdrawn. */
export const noInvitation = { invitationHash: null, invitationExpiresAt: null } as const

/** A new invitation: what the user's row keeps of it, and the token for whoever hands it over. */
export function newInvitation(context: SubgraphContext) {
  const secret = newSecret()
  const expires = new Date(context.clock.now().getTime() + invitationMs).toISOString()
  const kept: Values<User> = {
    status: 'INVITED',
    invitationHash: hashSecret(secret),
    invitationExpiresAt: expires,
  }
  return { kept, secret }
}

/**
 * The answer to a mutation that invited, and the event for those who wish to know. The token stands in the answer alone:
 * an event is stored, and with it a way in would be.
 */
export function invited(tx: MutationTransaction, user: User, secret: Buffer) {
  tx.emit('identity.user-invited', { userId: user.id, expiresAt: user.invitationExpiresAt })
  return { user, invitationToken: formatToken({ tenantId: user.tenantId, tokenId: user.id, secret }) }
}
