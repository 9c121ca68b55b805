import type { Transaction } from '../connection/database'
import type { SubgraphContext } from '../context'
import { uuidv7 } from '../id'
import { insertStatements } from '../statement'
import { mailInTheWay, requireNoMailInTheWay } from './limits'
import type { Mail } from './mail'
import { mailSeal } from './seal'

/**
 * Puts mails into the outbox with the end of the transaction that they tell of: they leave if and only if it commits.
 *
 * @throws UserErrors RATE_LIMITED when the tenant wrote too many within the hour; to be called when the work is done
 */
export async function writeMails(
  { binding, services }: SubgraphContext,
  transaction: Pick<Transaction, 'atEnd' | 'rows'>,
  mails: readonly Mail[],
): Promise<void> {
  const { tenantId } = binding
  if (mails.length === 0 || !tenantId) return
  const now = services.clock.now()
  const seal = mailSeal(services.keys)
  const recipients = mails.map(({ to, hasOwnLimit }) => (hasOwnLimit ? null : seal.recipient(tenantId, to)))
  const counted = recipients.filter((recipient) => recipient !== null)
  const [row] = counted.length > 0 ? await transaction.rows(mailInTheWay(counted, now)) : []
  if (row) requireNoMailInTheWay(row[0], now)
  const rows = mails.map((mail, place) => {
    const id = uuidv7(now.getTime())
    return [id, mail.kind, seal.close({ tenantId, id }, mail), recipients[place]]
  })
  const into = 'INSERT INTO shared.mails (created_at, due_at, id, kind, sealed, recipient)'
  const instant = now.toISOString()
  for (const statement of insertStatements(into, rows, { shared: [instant, instant] }))
    transaction.atEnd(statement)
}
