import type { Database } from '../kernel/connection/database'
import type { Services } from '../kernel/context'
import { startSending } from '../kernel/mail/start-sending'
import type { SubgraphName } from '../kernel/schema/subgraph-names'
import { startSealing } from '../kernel/sealing/start-sealing'

/**
 * Starts what the process of a subgraph does beside requests, over and over.
 * @returns ends it; what is under way is waited for
 */
export function startBackground(
  name: SubgraphName,
  database: Database,
  services: Services,
  everyMs?: number,
): () => Promise<void> {
  if (name === 'identity') return startSending(database, services, everyMs)
  if (name === 'compliance') return startSealing(database, services, everyMs)
  return async () => {}
}
