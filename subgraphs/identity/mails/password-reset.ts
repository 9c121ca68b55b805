import { composeMail, type Mail } from '../../../kernel/mail'

/** The mail to somebody who forgot the password. The token stands behind `#`, which browsers keep to themselves. */
export function passwordResetMail(reset: {
  to: string
  /** Names the organization. */
  tenant: string
  /** Names it at sign-in. */
  slug: string
  publicUrl: string
  token: string
  /** An instant, ISO 8601. */
  expiresAt: string
}): Mail {
  const { to, tenant, slug, publicUrl, token, expiresAt } = reset
  return composeMail({
    kind: 'identity.password-reset',
    to,
    subject: `Choose a new password for ${tenant}`,
    paragraphs: [
      `Somebody, hopefully you, forgot the password of the account ${to} at ${tenant} (${slug}).`,
      'Choose a new one, and you are signed out everywhere. A second factor stays as it is.',
    ],
    link: { label: 'Choose a new password', url: `${publicUrl}/reset-password#${token}` },
    notes: [
      `The link works once, until ${expiresAt.slice(0, 16).replace('T', ' ')} UTC.`,
      'If you did not ask for this, you need not do anything: your password stays as it is.',
    ],
    hasOwnLimit: true,
  })
}
