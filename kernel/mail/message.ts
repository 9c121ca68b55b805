import { domainToASCII } from 'node:url'
import type { OutgoingMail } from './mail'

/** The message as nodemailer takes it. No value is parsed: an address is one address, whatever stands in it. */
export function messageOf({ id, to, subject, text, html }: OutgoingMail, from: string) {
  return {
    from,
    to: { name: '', address: to },
    subject,
    text,
    html,
    messageId: `<${id}@${senderDomain(from)}>`,
    // Out-of-office notes stay away (RFC 3834).
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

function senderDomain(from: string): string {
  const [, domain = ''] = /@([^@>\s]+)>?\s*$/.exec(from) ?? []
  return domainToASCII(domain) || 'localhost'
}
