import { UserErrors } from '../errors'
import { prepared } from '../statement'
import type { Statement } from '../connection/database'

/** Says how many mails a tenant writes at most within {@link mailWindowMs}: to one address, and to all together. */
export const mostMails = { toOne: 5, toAll: 200 } as const
export const mailWindowMs = 60 * 60_000

/**
 * The statement that finds the mail in the way of others: its instant, and null when all of them may be written. Until the
 * transaction ends no other of the tenant counts.
 * @param recipients a digest for each mail
 */
export function mailInTheWay(recipients: readonly string[], now: Date): Statement {
  const since = new Date(now.getTime() - mailWindowMs).toISOString()
  const text = 'SELECT shared.mail_in_the_way($1, $2, $3, $4)'
  return prepared(text, [recipients, since, mostMails.toOne, mostMails.toAll])
}

/** @throws UserErrors RATE_LIMITED, which says when to try again, if a mail is in the way */
export function requireNoMailInTheWay(instant: unknown, now: Date): void {
  if (instant === null) return
  const ms = new Date(String(instant)).getTime() + mailWindowMs - now.getTime()
  const minutes = Math.max(1, Math.ceil(ms / 60_000))
  const message =
    `An hour has at most ${mostMails.toOne} mails to one address and ${mostMails.toAll} in all: ` +
    `try again in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`
  throw new UserErrors([{ code: 'RATE_LIMITED', message, field: null }])
}
