import type { Transporter } from 'nodemailer'
import { messageOf } from './message'
import { MailRefused, type MailTransport } from './transport'

/** Together they stay below the lease of a claimed mail, also where a few of them wait for one connection. */
const patience = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 30_000 }
const connections = 3

/** Describes what nodemailer tells of a failure. Its message repeats the server's words, and these repeat addresses. */
interface SmtpFailure {
  code?: string
  responseCode?: number
  response?: string
  command?: string
}

/**
 * Mails over SMTP, by a few connections that are kept while there is something to send. Beyond this machine everything
 * is encrypted and the server's certificate checked; a server that cannot is given nothing.
 * @param url `smtps://user:password@host` (TLS from the start), or `smtp://…` (STARTTLS)
 */
export function smtpTransport(url: string, from: string): MailTransport {
  const { hostname, port, protocol, username, password } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const isHere = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host)
  const secure = protocol === 'smtps:'
  let transporter: Promise<Transporter> | undefined

  async function open(): Promise<Transporter> {
    const { createTransport } = await import('nodemailer')
    return createTransport({
      host,
      port: port ? Number(port) : secure ? 465 : 587,
      secure,
      requireTLS: !secure && !isHere,
      ignoreTLS: !secure && isHere && !username,
      ...(username && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
      pool: true,
      maxConnections: connections,
      ...patience,
    })
  }

  return {
    async send(mail) {
      const opened = await (transporter ??= open())
      try {
        await opened.sendMail(messageOf(mail, from))
      } catch (error) {
        throw failureOf(error as SmtpFailure)
      }
    },
    async close() {
      const opened = await transporter
      transporter = undefined
      opened?.close()
    },
  }
}

/**
 * Tells a refusal of this mail for good (its recipient, its content) from what is to be mended or passes: log-in, sender,
 * relaying, load. Classes of RFC 3463 decide where the server gives them.
 */
function failureOf({ code, responseCode = 0, response = '', command }: SmtpFailure): Error {
  const [, subject = '1'] = /^\d{3}[ -]5\.(\d{1,3})\.\d{1,3}/.exec(response) ?? []
  const isAboutMail = code === 'EMESSAGE' || (code === 'EENVELOPE' && command === 'RCPT TO')
  const words = ['SMTP', responseCode || undefined, command, code].filter(Boolean).join(' ')
  const isFinal = isAboutMail && responseCode >= 500 && ['1', '2', '6'].includes(subject)
  return isFinal ? new MailRefused(words) : new Error(words)
}
