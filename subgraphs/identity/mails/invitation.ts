import { composeMail, type Mail } from '../../../kernel/mail'

/**
 * The mail to somebody who is invited. The token stands behind `#`: browsers keep that to themselves, so it reaches no log of
 * a server and no other page.
 */
export function invitationMail(invitation: {
  to: string
  /** Names the organization. */
  tenant: string
  /** Names it at sign-in. */
  slug: string
  publicUrl: string
  invitationToken: string
  /** An instant, ISO 8601. */
  expiresAt: string | null
}): Mail {
  const { to, tenant, slug, publicUrl, invitationToken, expiresAt } = invitation
  return composeMail({
    kind: 'identity.invitation',
    to,
    subject: `Your invitation to ${tenant}`,
    paragraphs: [
      `${tenant} has made an account for you with the address ${to}.`,
      'Choose a password to open it. Nobody but you should know it.',
      `To sign in later, name the tenant ${slug} and this address.`,
    ],
    link: { label: 'Accept the invitation', url: `${publicUrl}/accept-invitation#${invitationToken}` },
    notes: [
      ...(expiresAt ? [`The link works once, until ${expiresAt.slice(0, 16).replace('T', ' ')} UTC.`] : []),
      'If you did not expect this, you need not do anything.',
    ],
  })
}
