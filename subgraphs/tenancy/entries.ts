import type { SubgraphContext } from '../../kernel/context'
import type { UserError } from '../../kernel/errors'
import { uuidv7 } from '../../kernel/id'
import { mutate, type MutationTransaction } from '../../kernel/mutate'
import { platformAction, requireOperator } from '../../kernel/operator'
import { issueOperatorToken } from '../../kernel/sign-in'
import { prepared } from '../../kernel/statement'
import { OperatorEntry } from './entities/OperatorEntry'
import type { EnterTenantInput, TenancyUserErrorCode } from './generated'
import { inNamedTenant } from './platform'
import { entryEnd } from './rules/tenant-status'

type Tx = MutationTransaction<TenancyUserErrorCode>
type Failures = { userErrors: UserError<TenancyUserErrorCode>[] }

const failure = (code: TenancyUserErrorCode, message: string, field: string | null): Failures => ({
  userErrors: [{ code, message, field: field === null ? null : [field] }],
})

const sensitiveScope = 'tenancy:platform:sensitive'

/** Enters a tenant: one row, which the tenant sees, and a token that is good as long as it. */
export async function enterTenant(
  context: SubgraphContext,
  { tenantId, reason, minutes, readsSensitive }: EnterTenantInput,
): Promise<{ accessToken?: string; entryId?: string; expiresAt?: string } & Failures> {
  const { operatorId, sessionId, scopes } = requireOperator(context)
  const { clock, keys, config } = context.services
  const now = clock.now()
  const end = entryEnd(now, minutes ?? 30)
  if (!end) return failure('INVALID', 'An entry takes 5 to 240 minutes', 'minutes')
  if (reason === '' || reason.length > 500)
    return failure('INVALID', 'A reason has 1 to 500 characters', 'reason')
  if (readsSensitive && !scopes.has(sensitiveScope))
    return failure('PERMISSION_NOT_HELD', `You lack ${sensitiveScope}`, 'readsSensitive')
  return inNamedTenant(context, tenantId, 'tenantId', (inTenant) =>
    mutate(inTenant, async (tx: Tx) => {
      const own = inTenant.binding.tenantId!
      const entryId = uuidv7(now.getTime())
      const expiresAt = end.toISOString()
      const sensitive = readsSensitive ?? false
      const [row] = await tx.rows(
        prepared('SELECT tenancy.enter_tenant($1, $2, $3, $4, $5, $6)', [
          ...[entryId, sessionId, reason, sensitive, now.toISOString(), expiresAt],
        ]),
      )
      const after = { operatorId, operatorName: row?.[0], reason, readsSensitive: sensitive, expiresAt }
      tx.audit({ action: 'CREATE', resourceType: 'OperatorEntry', resourceId: entryId, changes: { after } })
      await tx.rows(platformAction(inTenant, 'ENTER_TENANT', own, { entryId, ...after }))
      const claims = { operatorId, sessionId, entry: { tenantId: own, entryId } }
      const accessToken = issueOperatorToken(keys, config.tokenIssuer, claims, end, clock)
      return { accessToken, entryId, expiresAt }
    }),
  )
}

/** Ends the entry that asks, and no other. */
export async function leaveTenant(context: SubgraphContext, id: string): Promise<Failures> {
  const { entryId } = requireOperator(context)
  const { tenantId } = context.binding
  if (!entryId || !tenantId || entryId !== id.toLowerCase())
    return failure('NO_ENTRY', 'Send the token that enterTenant gave for this entry', null)
  return mutate(context, async (tx: Tx) => {
    await endEntry(context, tx, entryId)
    await tx.rows(platformAction(context, 'LEAVE_TENANT', tenantId, { entryId }))
    return {}
  })
}

/** Ends an entry before its time; fails when it is over. */
export async function endEntry(context: SubgraphContext, tx: Tx, id: string): Promise<OperatorEntry> {
  // By the true time, in a sandbox too: operators live in it.
  const now = context.services.clock.now()
  const { endedAt, expiresAt } = await tx.find(OperatorEntry, id)
  if (endedAt !== null || Date.parse(expiresAt) <= now.getTime())
    tx.fail('INVALID_STATUS', 'This entry is over already', 'id')
  return tx.update(OperatorEntry, id, null, { endedAt: now.toISOString() })
}
