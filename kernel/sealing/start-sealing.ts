import type { Database } from '../connection/database'
import type { Services } from '../context'
import { repeat } from '../process/repeat'
import { loadAuditKeys } from './audit-keys'
import { sealDue } from './seal-due'

/**
 * Seals the audit trail every `everyMs`.
 * @param database of the role that may give positions
 * @returns lets a run under way finish, then ends
 * @throws when the keys of the audit trail cannot be used
 */
export function startSealing(
  database: Database,
  { blobs, config, clock, log }: Pick<Services, 'blobs' | 'config' | 'clock' | 'log'>,
  everyMs = 60_000,
): () => Promise<void> {
  const keys = loadAuditKeys(config)
  if (!keys.privateKey) {
    log.warn('AUDIT_PRIVATE_KEY is not set in this process: it does not seal the audit trail')
    return async () => {}
  }
  if (config.nodeEnv === 'production' && config.databaseUrl && !config.auditPrivateKey)
    log.warn('AUDIT_PRIVATE_KEY is not set: the key in DATA_DIR vouches for the audit trail, keep it')
  const sealing = { database, blobs, keys, clock, log }
  return repeat('audit chain', everyMs, log, () => sealDue(sealing))
}
