import { composeMail, type Mail } from '../../../kernel/mail'

/** The mail to somebody whose second factors were removed by somebody else: who did not ask for it should know at once. */
export function secondFactorResetMail(reset: {
  to: string
  /** Names the organization. */
  tenant: string
  /** Names whoever did it. */
  by: string
  reason: string
}): Mail {
  const { to, tenant, by, reason } = reset
  return composeMail({
    kind: 'identity.second-factor-reset',
    to,
    subject: `Your second factors at ${tenant} were removed`,
    paragraphs: [
      `${by} has removed all second factors of the account ${to} and ended its sessions: ${reason}`,
      'Sign in with your password and add an authenticator again.',
    ],
    notes: ['If you did not ask for this, change your password and tell those who look after your users.'],
  })
}
