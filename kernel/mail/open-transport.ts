import type { Config } from '../process/config'
import type { Logger } from '../process/log'
import type { MailTransport } from './transport'
import { fileTransport } from './transport-file'
import { smtpTransport } from './transport-smtp'

/** The transport that the configuration names: SMTP with SMTP_URL, otherwise files in `DATA_DIR/mail`. */
export function openMailTransport(
  { smtpUrl, mailFrom, dataDir }: Pick<Config, 'smtpUrl' | 'mailFrom' | 'dataDir'>,
  log: Logger,
): MailTransport {
  return smtpUrl ? smtpTransport(smtpUrl, mailFrom) : fileTransport(dataDir, mailFrom, log)
}
