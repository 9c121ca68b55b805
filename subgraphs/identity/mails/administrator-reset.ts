import { composeMail, type Mail } from '../../../kernel/mail'

/** The mail to the present address of an administrator whose account operators of the platform are asked to move. */
export function administratorResetMail(reset: {
  to: string
  /** Names the organization. */
  tenant: string
  newEmail: string
  reason: string
  publicUrl: string
  token: string
  /** An instant, ISO 8601. */
  opensAt: string
}): Mail {
  const { to, tenant, newEmail, reason, publicUrl, token, opensAt } = reset
  return composeMail({
    kind: 'identity.administrator-reset',
    to,
    subject: `Your account at ${tenant} is to be handed to another address`,
    paragraphs: [
      `An operator of the platform was asked to hand the account ${to} at ${tenant}, its only administrator, to the address ${newEmail}: password, second factors, sessions and keys would end.`,
      `The reason that was given: ${reason}`,
      `Nothing happens before ${opensAt.slice(0, 16).replace('T', ' ')} UTC, and then only if a second operator agrees. If this is not what you want, stop it.`,
    ],
    link: { label: 'Stop it', url: `${publicUrl}/stop-administrator-reset#${token}` },
    notes: ['Signing in, or using a session that you have, keeps the account where it is as well.'],
    hasOwnLimit: true,
  })
}
