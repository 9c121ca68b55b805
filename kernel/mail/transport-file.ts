import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../process/log'
import { messageOf } from './message'
import type { MailTransport } from './transport'

/**
 * Mails as files, `DATA_DIR/mail/<id>.eml`, which mail programs open: for machines that send none. They hold what lets
 * people in, so only their owner reads them.
 */
export function fileTransport(dataDir: string, from: string, log: Logger): MailTransport {
  const folder = join(dataDir, 'mail')
  return {
    async send(mail) {
      const { createTransport } = await import('nodemailer')
      const composer = createTransport({ streamTransport: true, buffer: true, newline: 'unix' })
      const { message } = await composer.sendMail(messageOf(mail, from))
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const file = join(folder, `${mail.id}.eml`)
      const draft = `${file}.${process.pid}`
      const handle = await open(draft, 'w', 0o600)
      try {
        await handle.writeFile(message as Buffer)
        await handle.sync()
      } catch (error) {
        await rm(draft, { force: true })
        throw error
      } finally {
        await handle.close()
      }
      await rename(draft, file)
      log.info({ kind: mail.kind, file }, 'a mail was written to a file: set SMTP_URL to send mails')
    },
    close: async () => {},
  }
}
