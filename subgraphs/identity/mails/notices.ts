import { composeMail, type Mail } from '../../../kernel/mail'

/** Says what a notice tells the owner of an account; all of it happened already. */
export type Notice =
  | 'PASSWORD_CHANGED'
  | 'PASSWORD_RESET'
  | 'SECOND_FACTOR_ADDED'
  | 'SECOND_FACTOR_REMOVED'
  | 'PASSKEY_ADDED'
  | 'PASSKEY_COPIED'
  | 'RECOVERY_CODES_RENEWED'
  | 'NEW_DEVICE'
  | 'ATTEMPTS_FAILED'
  | 'CODES_FAILED'
  | 'EMAIL_CHANGED'

/** Notices that change nothing of the account. */
export const limitedNotices: ReadonlySet<Notice> = new Set(['NEW_DEVICE', 'ATTEMPTS_FAILED', 'CODES_FAILED'])

const withoutQuestion: ReadonlySet<Notice> = new Set([
  'ATTEMPTS_FAILED',
  'EMAIL_CHANGED',
  'PASSWORD_RESET',
  'PASSKEY_COPIED',
])
const isMine = 'If it was you, you need not do anything.'
const changePassword =
  'If it was not you, change your password at once and tell those who look after your users.'

const words: Readonly<Record<Notice, { subject: string; what: string; next: string }>> = {
  PASSWORD_CHANGED: {
    subject: 'Your password was changed',
    what: 'The password was changed, and other sessions have ended.',
    next: 'If it was not you, set another one with “forgot password” and tell those who look after your users.',
  },
  PASSWORD_RESET: {
    subject: 'Your password was reset',
    what: 'Who runs the platform gave the account a password for one sign-in; all sessions and API keys of the account have ended.',
    next: 'If you did not ask for it, tell those who look after your users at once.',
  },
  SECOND_FACTOR_ADDED: {
    subject: 'A second factor was added',
    what: 'An authenticator was added: sign-in asks for a code of it.',
    next: changePassword,
  },
  SECOND_FACTOR_REMOVED: {
    subject: 'A second factor was removed',
    what: 'A second factor was removed.',
    next: changePassword,
  },
  PASSKEY_ADDED: {
    subject: 'A passkey was added',
    what: 'A passkey was added: whoever has it and can unlock it signs in without the password.',
    next: 'If it was not you, remove it at once, change your password and tell those who look after your users.',
  },
  PASSKEY_COPIED: {
    subject: 'A passkey of yours was copied',
    what: 'A passkey was used whose counter went back, so there is a copy of it. It is blocked, and all sessions have ended.',
    next: 'Remove the passkey and add another one. Tell those who look after your users at once.',
  },
  RECOVERY_CODES_RENEWED: {
    subject: 'Your recovery codes were renewed',
    what: 'New recovery codes were made; the former ones are over.',
    next: changePassword,
  },
  NEW_DEVICE: {
    subject: 'A new device signed in',
    what: 'Somebody signed in from a device or program that was not in before.',
    next: changePassword,
  },
  ATTEMPTS_FAILED: {
    subject: 'Many attempts to sign in failed',
    what: 'Several attempts to sign in with a wrong password failed within a day. Nobody got in by them.',
    next: 'You need not do anything: further attempts wait longer and longer. A second factor keeps out who finds the password.',
  },
  CODES_FAILED: {
    subject: 'Somebody knows your password',
    what: 'Somebody told the right password, and then several wrong codes of the second factor. Nobody got in by them.',
    next: changePassword,
  },
  EMAIL_CHANGED: {
    subject: 'Your e-mail address was changed',
    what: 'The address with which you sign in was changed, and mails go to the new one from here on.',
    next: 'If you did not expect this, tell those who look after your users at once.',
  },
}

/** The mail that tells the owner of an account what happened to it. */
export function noticeMail(
  notice: Notice,
  told: {
    to: string
    /** Names the organization. */
    tenant: string
    at: Date
    /** Describe where it was done; null when unknown. */
    device: string | null
    address: string | null
  },
): Mail {
  const { subject, what, next } = words[notice]
  const { to, tenant, at, device, address } = told
  const place = [device, address && `address ${address}`].filter(Boolean).join(', ')
  return composeMail({
    kind: `identity.notice-${notice.toLowerCase().replaceAll('_', '-')}`,
    to,
    subject: `${subject} (${tenant})`,
    paragraphs: [
      `This is about the account ${to} at ${tenant}. ${what}`,
      `When: ${at.toISOString().slice(0, 16).replace('T', ' ')} UTC.${place ? ` From: ${place}.` : ''}`,
    ],
    notes: withoutQuestion.has(notice) ? [next] : [isMine, next],
    hasOwnLimit: true,
  })
}
