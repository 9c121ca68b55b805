import { isUuid } from '../../kernel/id'
import { mutate, type MutationTransaction } from '../../kernel/mutate'
import { actInTenant, platformAction } from '../../kernel/operator'
import type { SubgraphContext } from '../../kernel/context'
import type { UserError } from '../../kernel/errors'
import { revokeCachedSessions } from '../../kernel/sign-in'
import { prepared } from '../../kernel/statement'
import type { Tenant } from './entities/Tenant'
import type { TenancyUserErrorCode } from './generated'
import { statusAfter, type StatusVerb } from './rules/tenant-status'

type Tx = MutationTransaction<TenancyUserErrorCode>
type Failures = { userErrors: UserError<TenancyUserErrorCode>[] }

const notFound = (field: string): Failures => ({
  userErrors: [{ code: 'NOT_FOUND', message: 'There is no tenant with this id', field: [field] }],
})

/** Does something in a tenant that an operator names by the input's `field`; nothing where there is no such tenant. */
export async function inNamedTenant<T extends object>(
  context: SubgraphContext,
  tenantId: string,
  field: string,
  work: (inTenant: SubgraphContext) => Promise<T & Failures>,
): Promise<Partial<T> & Failures> {
  const missing = notFound(field) as Partial<T> & Failures
  if (!isUuid(tenantId)) return missing
  return actInTenant(context, tenantId.toLowerCase(), async (inTenant) => {
    const own = prepared('SELECT FROM tenancy.tenants WHERE id = $1', [inTenant.binding.tenantId])
    const found = await inTenant.db.rows(inTenant.binding, own)
    return found.length === 0 ? missing : work(inTenant)
  })
}

const findHold = 'SELECT FROM shared.held_subjects WHERE tenant_id = $1 AND released_at IS NULL LIMIT 1'

/** Ends the mutation while something of the tenant is held: nobody could release it once the tenant is shut. */
async function requireNoHold(context: SubgraphContext, tx: Tx): Promise<void> {
  const found = await tx.rows(prepared(findHold, [context.binding.tenantId]))
  if (found.length > 0)
    tx.fail('INVALID', 'Something of this tenant is under a legal hold: its people release that first', 'id')
}

/** Describes a change of a tenant's status that an operator asks for. */
export interface StatusChange {
  verb: StatusVerb
  id: string
  expectedVersion: number
  /** Null where none is asked for. */
  reason: string | null
  deletionDueAt?: Date
  /** Refuses what the verb alone does not. */
  check?: (tx: Tx, tenant: Pick<Tenant, 'slug'>) => void
}

const actions: Readonly<Record<StatusVerb, string>> = {
  suspend: 'SUSPEND_TENANT',
  reactivate: 'REACTIVATE_TENANT',
  scheduleDeletion: 'SCHEDULE_TENANT_DELETION',
  undoDeletion: 'UNDO_TENANT_DELETION',
}

/**
 * Changes the status of a tenant, and has every gateway look at it with the next request: before the change, so that none keeps
 * what it was, and after it, for those who looked meanwhile. Throws when the store of sessions does not answer the first time; the
 * second time the change stands, and kept sessions end within a minute.
 */
export async function changeStatus(
  context: SubgraphContext,
  change: StatusChange,
): Promise<{ tenantId?: string } & Failures> {
  return inNamedTenant(context, change.id, 'id', async (inTenant) => {
    const tenantId = inTenant.binding.tenantId!
    const result = await mutate(inTenant, async (tx: Tx) => {
      await writeStatus(inTenant, tx, change)
      await lookAgain(inTenant, (statement) => tx.rows(statement))
      return { tenantId }
    })
    if (result.tenantId) await lookAgain(inTenant, (one) => inTenant.db.rows(inTenant.binding, one))
    return result
  })
}

async function writeStatus(
  context: SubgraphContext,
  tx: Tx,
  { verb, expectedVersion, reason, deletionDueAt, check }: StatusChange,
): Promise<void> {
  const tenantId = context.binding.tenantId!
  // Not by the kernel's reads, which show a tenant to its own people alone.
  const own = 'SELECT status, version, slug FROM tenancy.tenants WHERE id = $1 FOR UPDATE'
  const [row] = await tx.rows(prepared(own, [tenantId]))
  const [known, version, slug] = row as [Tenant['status'], number, string]
  const before = { status: known, version, slug }
  if (before.version !== expectedVersion)
    tx.fail('STALE_VERSION', 'The tenant was changed since: read it again', 'expectedVersion')
  const status = statusAfter(verb, before.status)
  if (!status) tx.fail('INVALID_STATUS', `This tenant is ${before.status}`, 'id')
  if (reason !== null && (reason === '' || reason.length > 500))
    tx.fail('INVALID', 'A reason has 1 to 500 characters', 'reason')
  check?.(tx, before)
  if (verb === 'scheduleDeletion') await requireNoHold(context, tx)
  const now = context.services.clock.now().toISOString()
  const due = deletionDueAt?.toISOString() ?? null
  await tx.rows(prepared('SELECT tenancy.set_tenant_status($1, $2, $3, $4)', [status, reason, now, due]))
  const after = { status, statusReason: reason, deletionDueAt: due }
  tx.audit({
    action: 'UPDATE',
    resourceType: 'Tenant',
    resourceId: tenantId,
    changes: { before: { status: before.status }, after },
  })
  await tx.rows(platformAction(context, actions[verb], tenantId, after))
}

async function lookAgain(
  { services, binding }: SubgraphContext,
  rows: (statement: { text: string; values?: readonly unknown[] }) => Promise<unknown[][]>,
): Promise<void> {
  const now = services.clock.now().toISOString()
  const sessions = await rows(prepared('SELECT shared.own_session_ids($1)', [now]))
  const ids = sessions.map(([id]) => String(id))
  await revokeCachedSessions(services.keyValue, binding.tenantId!, ids)
}
