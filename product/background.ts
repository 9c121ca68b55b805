import type { Database } from '../kernel/connection/database'
import type { Services } from '../kernel/context'
import { startSending } from '../kernel/mail/start-sending'
import type { SubgraphName } from '../kernel/schema/subgraph-names'

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
  return name === 'identity' ? startSending(database, services, everyMs) : async () => {}
}
