import type { SubgraphContext, Transaction } from '../../../kernel/context'
import { uuidv7 } from '../../../kernel/id'
import { prepared } from '../../../kernel/statement'
import { pendingMs } from './codes'
import { formatToken, hashSecret, newSecret } from './opaque-token'

/** Notes that a user's password was right and a second factor is asked for. Returns the token of that, good once. */
export async function beginSecondFactor(
  context: SubgraphContext,
  tx: Pick<Transaction, 'run'>,
  { tenantId, userId, permissionVersion }: { tenantId: string; userId: string; permissionVersion: number },
): Promise<string> {
  const now = context.services.clock.now()
  const token = { tenantId, tokenId: uuidv7(now.getTime()), secret: newSecret() }
  await tx.run(
    prepared(
      `INSERT INTO identity.pending_sign_ins (id, user_id, secret_hash, permission_version, expires_at, created_at)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [
        ...[token.tokenId, userId, hashSecret(token.secret), permissionVersion],
        ...[new Date(now.getTime() + pendingMs).toISOString(), now.toISOString()],
      ],
    ),
  )
  return formatToken(token)
}
