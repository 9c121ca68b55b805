import type { SubgraphContext } from '../../../kernel/context'
import { unauthenticated, type UserError } from '../../../kernel/errors'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { revokeCachedSessions } from '../../../kernel/sign-in'
import { findUser, requireAuthorityOver, requireHeld } from '../authority'
import { Session } from '../entities/Session'
import { User } from '../entities/User'
import type { IdentityUserErrorCode } from '../generated'
import { isAlive } from '../rules/session-limits'
import { revokeSessions } from './revoke'

type Told<T> = Promise<Partial<T> & { userErrors: UserError<IdentityUserErrorCode>[] }>

/** Ends one session that the viewer sees; a session that is over stays as it is. */
export function revokeSession(context: SubgraphContext, id: string): Told<{ session: Session }> {
  return mutate(context, async (tx: MutationTransaction<IdentityUserErrorCode>) => {
    const session = await tx.find(Session, id)
    if (session.userId !== context.viewer?.userId) {
      requireHeld(context, tx, ['identity:user:write'], 'id')
      await requireAuthorityOver(context, tx, session.userId, 'id')
    }
    const now = context.services.clock.now()
    if (!isAlive(session, now)) return { session }
    const { tenantId, actorId: revokedById = null } = context.binding
    const ended = await tx.update(Session, id, null, {
      revokedAt: now.toISOString(),
      revokeReason: 'REVOKED',
      revokedById,
    })
    await revokeCachedSessions(context.services.keyValue, tenantId!, [ended.id])
    return { session: ended }
  })
}

/** Ends the viewer's sessions but the present one, or those of them that began before an instant. */
export async function revokeOtherSessions(
  context: SubgraphContext,
  begunBefore: string | null,
): Told<{ endedCount: number }> {
  const { viewer } = context
  if (!viewer) throw unauthenticated()
  return mutate(context, async (tx: MutationTransaction<IdentityUserErrorCode>) => {
    // A sign-in at the same moment is either seen, or comes after.
    await tx.find(User, viewer.userId)
    const ending = { reason: 'REVOKED', except: viewer.sessionId, begunBefore } as const
    return { endedCount: await endAll(context, tx, viewer.userId, ending) }
  })
}

/** Ends all sessions of a user over whom the viewer has authority, but the one in which it is asked. */
export function revokeUserSessions(
  context: SubgraphContext,
  userId: string,
): Told<{ user: User; endedCount: number }> {
  return mutate(context, async (tx: MutationTransaction<IdentityUserErrorCode>) => {
    const user = await findUser(context, tx, userId, 'userId')
    await requireAuthorityOver(context, tx, user.id, 'userId')
    // Whoever wants to leave signs out.
    const except = user.id === context.viewer?.userId ? context.viewer.sessionId : null
    return { user, endedCount: await endAll(context, tx, user.id, { reason: 'REVOKED', except }) }
  })
}

async function endAll(
  context: SubgraphContext,
  tx: MutationTransaction<IdentityUserErrorCode>,
  userId: string,
  ending: Parameters<typeof revokeSessions>[3],
): Promise<number> {
  const count = await revokeSessions(context, tx, { tenantId: context.binding.tenantId!, userId }, ending)
  const changes = { after: { reason: 'REVOKED', userId, count } }
  if (count > 0) tx.audit({ action: 'SIGN_OUT', resourceType: 'Session', resourceId: null, changes })
  return count
}
