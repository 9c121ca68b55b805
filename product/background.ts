import type { Database } from '../kernel/connection/database'
import type { Services } from '../kernel/context'
import { openMailTransport } from '../kernel/mail/open-transport'
import { mailSeal } from '../kernel/mail/seal'
import { sendDue } from '../kernel/mail/send-due'
import { repeat } from '../kernel/process/repeat'
import type { SubgraphName } from '../kernel/schema/subgraph-names'
import { loadAuditKeys } from '../kernel/sealing/audit-keys'
import { sealDue } from '../kernel/sealing/seal-due'

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

/**
 * Sends what is due every `everyMs`. Does nothing in a process without the key that signs access tokens, which cannot
 * read mails.
 * @param database of the role that may read and change `shared.mails`
 * @returns lets mails under way go out, then ends
 */
function startSending(
  database: Database,
  { config, clock, log, keys }: Pick<Services, 'config' | 'clock' | 'log' | 'keys'>,
  everyMs = 5_000,
): () => Promise<void> {
  if (!keys.privateKey) return async () => {}
  if (config.nodeEnv === 'production' && !config.smtpUrl)
    log.warn('SMTP_URL is not set: mails become files in DATA_DIR/mail, and nobody receives them')
  const transport = openMailTransport(config, log)
  const sending = { database, transport, seal: mailSeal(keys), clock, log }
  const stop = repeat('mail', everyMs, log, () => sendDue(sending))
  return async () => {
    await stop()
    await transport.close()
  }
}

/**
 * Seals the audit trail every `everyMs`.
 * @param database of the role that may give positions
 * @returns lets a run under way finish, then ends
 * @throws when the keys of the audit trail cannot be used
 */
function startSealing(
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
