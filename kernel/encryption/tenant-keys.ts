import type { SubgraphContext } from '../context'
import type { DataKey } from './cipher'

/**
 * The keys of the viewer's tenant, the current one first. They are in memory but for the first use in five minutes, which
 * sends a statement over a connection of its own. Not to be called in a transaction.
 */
export function tenantKeys({ db, binding, services }: SubgraphContext): Promise<readonly DataKey[]> {
  return services.dataKeys.ofTenant((statement) => db.rows(binding, statement), binding.tenantId!)
}
