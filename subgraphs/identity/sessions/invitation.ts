import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction, Values } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { User } from '../entities/User'
import { invitationMail } from '../mails/invitation'
import { invitationMs, isKnownToOthers } from '../rules/invitation'
import { formatToken, hashSecret, newSecret } from './opaque-token'
import { bindPasskeys, refreshAuthority, revokeSessions } from './revoke'

/** No invitation: what is left of one that was accepted or withdrawn. */
export const noInvitation = { invitationHash: null, invitationExpiresAt: null } as const

/** No password: what is left of a first one that ended. */
export const noPassword = { passwordHash: null, passwordChangeRequired: false } as const

/** A new invitation: what the user's row keeps of it, and the token for whoever hands it over. */
export function newInvitation(context: SubgraphContext) {
  const secret = newSecret()
  const expires = new Date(context.services.clock.now().getTime() + invitationMs).toISOString()
  const kept: Values<User> = {
    status: 'INVITED',
    invitationHash: hashSecret(secret),
    invitationExpiresAt: expires,
  }
  return { kept, secret }
}

/**
 * Notes that the viewer could let themselves into somebody else's account from here on: its secret passes through their hands, or
 * goes where they say. For a while neither is a second person to the other (`kernel/second-person.ts`).
 * @param choseAddress whether they say where what is mailed to the account goes
 */
export async function entrust(
  { viewer, services }: SubgraphContext,
  tx: Pick<MutationTransaction, 'run'>,
  userId: string,
  choseAddress = false,
): Promise<void> {
  if (!viewer || viewer.userId === userId) return
  const text = `INSERT INTO identity.entrustments AS e (user_id, by_id, entrusted_at, chose_address) VALUES ($1, $2, $3, $4)
    ON CONFLICT (tenant_id, user_id, by_id)
    DO UPDATE SET entrusted_at = excluded.entrusted_at, chose_address = e.chose_address OR excluded.chose_address`
  await tx.run(prepared(text, [userId, viewer.userId, services.clock.now().toISOString(), choseAddress]))
}

/**
 * The answer to a mutation that invited, the mail to the user, and the event for those who wish to know. The token stands
 * in the answer and in the sealed mail alone: an event is stored in clear, and with it a way in would be.
 */
export async function invited(
  context: SubgraphContext,
  tx: MutationTransaction,
  user: User,
  secret: Buffer,
): Promise<{ user: User; invitationToken: string }> {
  const { id, tenantId, email, invitationExpiresAt: expiresAt } = user
  const invitationToken = formatToken({ tenantId, tokenId: id, secret })
  const [tenant] = await tx.rows(prepared('SELECT shared.tenant_name(), shared.tenant_slug()', []))
  const { publicUrl } = context.services.config
  const [name, slug] = tenant as [string, string]
  tx.mail(invitationMail({ to: email, tenant: name, slug, publicUrl, invitationToken, expiresAt }))
  await entrust(context, tx, id)
  tx.emit('identity.user-invited', { type: 'User', id }, { expiresAt })
  return { user, invitationToken }
}

/**
 * Ends the invitation or first password of a user who gains rights, if somebody else may know it, and the sessions that
 * it began. The user must be locked. Returns the user, with the token of a new invitation for whoever gave the rights; a
 * suspended user gets one when reactivated.
 */
export async function endKnownSecrets(
  context: SubgraphContext,
  tx: MutationTransaction,
  user: User,
): Promise<{ user: User; invitationToken?: string }> {
  if (!isKnownToOthers(user)) return { user }
  const { id: userId, tenantId } = user
  await revokeSessions(context, tx, { tenantId, userId }, { reason: 'INVITED_AGAIN' })
  await bindPasskeys(tx, { tenantId, userId })
  await refreshAuthority(context, tx, { tenantId, userIds: [userId] })
  if (user.status === 'SUSPENDED') return { user: await tx.update(User, userId, null, noPassword) }
  const { kept, secret } = newInvitation(context)
  return invited(context, tx, await tx.update(User, userId, null, { ...kept, ...noPassword }), secret)
}

const endHolders = `
  UPDATE identity.users
     SET status = CASE status WHEN 'ACTIVE' THEN 'INVITED' ELSE status END,
         password_hash = NULL, password_change_required = false, invitation_hash = NULL, invitation_expires_at = NULL,
         version = version + 1, updated_by_id = $3, updated_at = now()
   WHERE tenant_id = $1 AND (password_change_required OR invitation_hash IS NOT NULL)
     AND id IN (SELECT user_id FROM identity.role_assignments WHERE tenant_id = $1 AND role_id = $2)
  RETURNING id, status`

/**
 * The same for everybody who has a role that allows more, in two statements however many they are. Their invitations are
 * renewed one by one, by whoever hands them over. Returns how many ended.
 */
export async function endKnownSecretsOfRole(
  context: SubgraphContext,
  tx: MutationTransaction,
  { tenantId, id }: { tenantId: string; id: string },
): Promise<number> {
  const ended = await tx.rows(prepared(endHolders, [tenantId, id, context.binding.actorId]))
  if (ended.length === 0) return 0
  const users = { tenantId, userId: ended.map(([userId]) => String(userId)) }
  await revokeSessions(context, tx, users, { reason: 'INVITED_AGAIN' })
  await bindPasskeys(tx, users)
  await refreshAuthority(context, tx, { tenantId, userIds: users.userId })
  for (const [userId, status] of ended)
    tx.audit({
      action: 'UPDATE',
      resourceType: 'User',
      resourceId: String(userId),
      changes: { after: { status, ...noPassword, ...noInvitation } },
    })
  return ended.length
}
