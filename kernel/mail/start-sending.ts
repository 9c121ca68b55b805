import type { Database } from '../connection/database'
import type { Services } from '../context'
import { repeat } from '../process/repeat'
import { openMailTransport } from './open-transport'
import { mailSeal } from './seal'
import { sendDue } from './send-due'

/**
 * Sends what is due every `everyMs`. Does nothing in a process without the key that signs access tokens, which cannot
 * read mails.
 * @param database of the role that may read and change `shared.mails`
 * @returns lets mails under way go out, then ends
 */
export function startSending(
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
