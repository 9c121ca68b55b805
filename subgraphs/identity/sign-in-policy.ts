import type { SubgraphContext } from '../../kernel/context'
import { unauthenticated, userError, type UserError } from '../../kernel/errors'
import { mutate, type MutationTransaction } from '../../kernel/mutate'
import { revokeCachedSessions } from '../../kernel/sign-in'
import { prepared } from '../../kernel/statement'
import { requireKnown } from './authority'
import type { IdentityUserErrorCode, SetSignInPolicyInput } from './generated'
import { isWider, longestGraceDays, type MfaDemand } from './rules/sign-in-policy'

interface Policy extends MfaDemand {
  mfaScopes: string[]
  graceDays: number
  requiredSince: string | null
  version: number
}

type Tx = MutationTransaction<IdentityUserErrorCode>

const none: Policy = { mfaRequired: false, mfaScopes: [], graceDays: 0, requiredSince: null, version: 0 }

const read = `SELECT mfa_required, mfa_scopes, grace_days, required_since, version
  FROM identity.sign_in_policies WHERE tenant_id = $1`

function policyOf(row: unknown[] | undefined): Policy {
  if (!row) return none
  const [mfaRequired, mfaScopes, graceDays, requiredSince, version] = row as [
    ...[boolean, string[], number],
    ...[string | null, number],
  ]
  return { mfaRequired, mfaScopes, graceDays, requiredSince, version }
}

/** Returns what the viewer's tenant asks of sign-ins. */
export async function signInPolicy({ db, binding, viewer }: SubgraphContext): Promise<Policy> {
  if (!viewer) throw unauthenticated()
  const [row] = await db.rows(binding, prepared(read, [viewer.tenantId]))
  return policyOf(row)
}

/** From when on the viewer may do nothing but add a second factor; null: never. */
export async function viewerDueAt({ db, binding, viewer }: SubgraphContext): Promise<string | null> {
  if (!viewer) throw unauthenticated()
  const [row] = await db.rows(binding, prepared('SELECT shared.second_factor_due($1)', [viewer.userId]))
  return row![0] as string | null
}

/** Sets the policy as a whole, and has every gateway read anew what open sessions may do. */
export function setSignInPolicy(
  context: SubgraphContext,
  { expectedVersion, mfaRequired, mfaScopes, graceDays }: SetSignInPolicyInput,
): Promise<{ signInPolicy?: Policy; userErrors: UserError<IdentityUserErrorCode>[] }> {
  const tenantId = context.viewer?.tenantId
  if (!tenantId) throw unauthenticated()
  return mutate(context, async (tx: Tx) => {
    if (!Number.isInteger(graceDays) || graceDays < 0 || graceDays > longestGraceDays)
      throw userError('INVALID', `graceDays is 0 to ${longestGraceDays}`, ['graceDays'])
    const scopes = await requireKnown(tx, mfaRequired ? (mfaScopes ?? []) : [], 'mfaScopes')
    const [row] = await tx.rows(prepared(`${read} FOR UPDATE`, [tenantId]))
    const before = policyOf(row)
    if (before.version !== expectedVersion)
      throw userError('STALE_VERSION', 'Somebody changed the policy since it was read: read it again')
    const asked = { mfaRequired, mfaScopes: scopes }
    const now = context.services.clock.now().toISOString()
    const since = isWider(asked, before) ? now : before.requiredSince
    const after: Policy = {
      ...asked,
      graceDays,
      requiredSince: mfaRequired ? since : null,
      version: before.version + 1,
    }
    const isSame = JSON.stringify({ ...after, version: 0 }) === JSON.stringify({ ...before, version: 0 })
    if (isSame && before.version > 0) return { signInPolicy: before }
    await write(tx, tenantId, before.version, after)
    tx.audit({
      ...{ action: 'UPDATE', resourceType: 'SignInPolicy', resourceId: tenantId },
      changes: { before: { ...before }, after: { ...after } },
    })
    const open = `SELECT id FROM identity.sessions WHERE tenant_id = $1 AND revoked_at IS NULL AND expires_at > $2`
    const sessions = await tx.rows(prepared(open, [tenantId, now]))
    const ids = sessions.map(([id]) => String(id))
    await revokeCachedSessions(context.services.keyValue, tenantId, ids)
    return { signInPolicy: after }
  })
}

async function write(tx: Tx, tenantId: string, version: number, after: Policy): Promise<void> {
  const values = [after.mfaRequired, after.mfaScopes, after.graceDays, after.requiredSince]
  const text =
    version === 0
      ? `INSERT INTO identity.sign_in_policies (tenant_id, mfa_required, mfa_scopes, grace_days, required_since)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`
      : `UPDATE identity.sign_in_policies SET mfa_required = $2, mfa_scopes = $3, grace_days = $4, required_since = $5,
                version = version + 1, updated_at = now() WHERE tenant_id = $1`
  // Two who set the first one at once: the row of the other is there by then.
  if ((await tx.run(prepared(text, [tenantId, ...values]))) !== 1)
    throw userError('STALE_VERSION', 'Somebody changed the policy since it was read: read it again')
}
