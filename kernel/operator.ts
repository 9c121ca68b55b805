import { tenantScope, type Operator, type Statement, type SubgraphContext } from './context'
import { forbidden } from './errors'
import { uuidv7 } from './id'
import { prepared } from './statement'

/**
 * The operator of the platform who asks. The field says which scope is needed: `@requiresScopes(scopes: [["tenancy:platform:…"]])`.
 * @throws FORBIDDEN for everybody else
 */
export function requireOperator({ operator }: SubgraphContext): Operator {
  if (!operator) throw forbidden()
  return operator
}

/**
 * Does something in one tenant that an operator names, with the operator as actor: statements are bound to that tenant, whose
 * walls stand as ever, and `mutate` writes its audit trail. Nothing else of the request is in that tenant.
 * @param tenantId a UUID; of one that is not there no row is found
 */
export function actInTenant<T>(
  context: SubgraphContext,
  tenantId: string,
  work: (inTenant: SubgraphContext) => Promise<T>,
): Promise<T> {
  const { operatorId } = requireOperator(context)
  const binding = { tenantId, actorId: operatorId, requestId: context.requestId }
  const loaders = new Map<unknown, unknown>()
  const inTenant = Object.assign(Object.create(context) as SubgraphContext, { binding, loaders })
  return tenantScope.run(tenantId, () => work(inTenant))
}

/**
 * The statement that notes an action in the platform's own trail, which outlives the tenants.
 * @param action words in capitals, such as `SUSPEND_TENANT`
 */
export function platformAction(
  context: SubgraphContext,
  action: string,
  tenantId: string | null,
  details: object = {},
): Statement {
  const now = context.services.clock.now()
  const address = context.clientIp?.slice(0, 50) ?? null
  return prepared('SELECT shared.note_platform_action($1, $2, $3, $4, $5, $6)', [
    uuidv7(now.getTime()),
    now.toISOString(),
    action,
    tenantId,
    JSON.stringify(details),
    address,
  ])
}
