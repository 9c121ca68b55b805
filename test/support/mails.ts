import type { Mail } from '../../kernel/mail'
import { mailSeal } from '../../kernel/mail/seal'
import type { TestGraph } from './graph'

/** The mails that wait in a tenant's outbox, those to one address where it is given, in the order in which they were written. */
export async function mailsOf(graph: TestGraph, tenantId: string, to?: string): Promise<Mail[]> {
  const { rows } = await graph.owner.query<{ id: string; sealed: string }>(
    'SELECT id, sealed FROM shared.mails WHERE tenant_id = $1 AND sealed IS NOT NULL ORDER BY created_at, id',
    [tenantId],
  )
  const seal = mailSeal(graph.server.services.keys)
  const mails = rows.map(({ id, sealed }) => seal.open({ tenantId, id }, sealed))
  return to === undefined ? mails : mails.filter((mail) => mail.to === to)
}
