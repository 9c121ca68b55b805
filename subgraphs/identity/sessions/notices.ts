import { createHash } from 'node:crypto'
import type { SubgraphContext, Transaction } from '../../../kernel/context'
import { type Mail, writeMails } from '../../../kernel/mail'
import { prepared } from '../../../kernel/statement'
import { limitedNotices, noticeMail, type Notice } from '../mails/notices'
import { deviceLabel } from '../rules/device'
import { failureNotices, noticeLimit, noticesToAddress } from '../rules/session-limits'

interface Owner {
  tenantId: string
  userId: string
  email: string
}

/**
 * The notice of what was done in this request; null when the owner of the account got many of the kind within the hour, or the
 * address of the tenant within the day, which may be a stranger's whom an account was moved to. What changed the account is told
 * until then: no number of other notices hides one.
 */
async function noticeOf(
  context: SubgraphContext,
  tx: Pick<Transaction, 'rows'>,
  { tenantId, userId, email }: Owner,
  notice: Notice,
): Promise<Mail | null> {
  if (limitedNotices.has(notice)) {
    const { limit, windowMs } = noticeLimit
    const key = `t:${tenantId}:notices:${userId}:${notice}`
    if (!(await context.services.rateLimit.consume(key, limit, windowMs)).allowed) return null
  }
  const { limit, windowMs } = noticesToAddress
  const address = createHash('sha256').update(email).digest('base64url')
  const key = `t:${tenantId}:notices-to:${address}:${notice}`
  if (!(await context.services.rateLimit.consume(key, limit, windowMs)).allowed) return null
  const [tenant] = await tx.rows(prepared('SELECT shared.tenant_name()', []))
  return noticeMail(notice, {
    ...{ to: email, tenant: String(tenant?.[0]), at: context.services.clock.now() },
    ...{ device: deviceLabel(context.userAgent), address: context.clientIp },
  })
}

/** Tells the owner of an account what a mutation did to it: a mail that leaves if and only if it commits. */
export async function notify(
  context: SubgraphContext,
  tx: Pick<Transaction, 'rows'> & { mail(mail: Mail): void },
  { tenantId, id: userId, email }: { tenantId: string; id: string; email: string },
  notice: Notice,
): Promise<void> {
  const mail = await noticeOf(context, tx, { tenantId, userId, email }, notice)
  if (mail) tx.mail(mail)
}

/** The same in a transaction of one's own, where nobody is signed in yet. */
export async function notifyAt(
  context: SubgraphContext,
  tx: Pick<Transaction, 'rows' | 'atEnd'>,
  owner: Owner,
  notice: Notice,
): Promise<void> {
  const mail = await noticeOf(context, tx, owner, notice)
  const binding = { tenantId: owner.tenantId, actorId: owner.userId, requestId: context.requestId }
  const asOwner = Object.assign(Object.create(context) as SubgraphContext, { binding })
  if (mail) await writeMails(asOwner, tx, [mail])
}

/** Counts a wrong code, and tells whether it is the one of which the owner is to be told: once a day, however many come at once. */
export async function isBurstOfCodes(
  { services }: SubgraphContext,
  { tenantId, userId }: Pick<Owner, 'tenantId' | 'userId'>,
): Promise<boolean> {
  const { told, windowMs } = failureNotices.code
  const key = `t:${tenantId}:notices:${userId}:codes`
  return (await services.rateLimit.add(key, 1, windowMs)).count === told
}
