import type { OutgoingMail } from './mail'

/** Takes mails out of the house. Two adapters keep the same contract (test/mail/contract.ts): SMTP, and a folder. */
export interface MailTransport {
  /**
   * Resolves when the mail was taken over. A mail of the same id has the same Message-ID, whoever sends it.
   * @throws MailRefused when it will never be taken; any other error when it may be tried again
   */
  send(mail: OutgoingMail): Promise<void>
  /** Lets go of what it holds open; it may be used again afterwards. */
  close(): Promise<void>
}

/** Says that a mail will never be taken, such as one to an address that does not exist. */
export class MailRefused extends Error {
  override readonly name = 'MailRefused'
}
