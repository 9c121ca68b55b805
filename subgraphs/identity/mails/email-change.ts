import { composeMail, type Mail } from '../../../kernel/mail'

/** The mails that ask both mailboxes whether an account shall move from the one to the other. */
export function emailChangeMail(change: {
  to: string
  side: 'PRESENT' | 'NEW'
  /** Names the organization. */
  tenant: string
  presentEmail: string
  newEmail: string
  publicUrl: string
  token: string
  /** An instant, ISO 8601. */
  expiresAt: string
}): Mail {
  const { to, side, tenant, presentEmail, newEmail, publicUrl, token, expiresAt } = change
  return composeMail({
    kind: `identity.email-change-${side.toLowerCase()}`,
    to,
    subject: `Confirm your e-mail address for ${tenant}`,
    paragraphs: [
      side === 'PRESENT'
        ? `The account ${presentEmail} at ${tenant} shall move to another address, ${newEmail}.`
        : `An account at ${tenant} shall have the address ${newEmail}.`,
      'Both addresses are asked: nothing changes before both have confirmed.',
    ],
    link: { label: 'Confirm', url: `${publicUrl}/confirm-email#${token}` },
    notes: [
      `The link works until ${expiresAt.slice(0, 16).replace('T', ' ')} UTC.`,
      side === 'PRESENT'
        ? 'If you did not ask for this, do not confirm it, and change your password: somebody is in your account.'
        : 'If you do not know about this, you need not do anything.',
    ],
  })
}

/** The mail to an address that an account was to move to, and that another account has already: nothing can be confirmed by it. */
export function takenAddressMail({ to, tenant }: { to: string; tenant: string }): Mail {
  return composeMail({
    kind: 'identity.email-change-new',
    to,
    subject: `Your e-mail address for ${tenant}`,
    paragraphs: [
      `Somebody at ${tenant} asked to have the address ${to} for an account. You have an account with it already, so nothing changes.`,
    ],
    notes: ['You need not do anything. Whoever asked is not told.'],
  })
}
