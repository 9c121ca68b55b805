import type { SubgraphContext } from '../../kernel/context'
import { unauthenticated, userError, type UserError } from '../../kernel/errors'
import { mutate, type MutationTransaction } from '../../kernel/mutate'
import { revokeCachedSessions } from '../../kernel/sign-in'
import { prepared } from '../../kernel/statement'
import { requireAuthority, requireKnown } from './authority'
import type { IdentityUserErrorCode, SetSignInPolicyInput } from './generated'
import { askedOf, isWider, longestGraceDays, type MfaDemand } from './rules/sign-in-policy'

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
    await requireAuthorityOverAsked(context, tx, before, after)
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

/** Permissions that people hold: all of them of whoever holds one of the permissions `$2`, or of everybody. */
const heldByAsked = `WITH held AS (
    SELECT u.id, unnest(u.granted_permissions) AS permission FROM identity.users u WHERE u.tenant_id = $1 AND u.kind = 'PERSON'
    UNION
    SELECT u.id, unnest(r.permissions) FROM identity.role_assignments a
      JOIN identity.users u ON u.tenant_id = $1 AND u.id = a.user_id AND u.kind = 'PERSON'
      JOIN identity.roles r ON r.tenant_id = $1 AND r.id = a.role_id
     WHERE a.tenant_id = $1)
  SELECT DISTINCT permission FROM held
   WHERE cardinality($2::text[]) = 0 OR id IN (SELECT id FROM held WHERE permission = ANY ($2)) ORDER BY 1`

/**
 * Fails unless the viewer holds everything that those hold who are asked for a second factor, or were. Otherwise whoever may change
 * roles could shut out people with more rights, or take from them what guards their accounts.
 */
async function requireAuthorityOverAsked(
  context: SubgraphContext,
  tx: Tx,
  before: MfaDemand,
  after: MfaDemand,
): Promise<void> {
  const asked = askedOf(before, after)
  if (asked === null) return
  const rows = await tx.rows(prepared(heldByAsked, [context.binding.tenantId, asked]))
  const permissions = rows.map(([permission]) => String(permission))
  requireAuthority(context, tx, permissions, 'user', 'mfaScopes')
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
