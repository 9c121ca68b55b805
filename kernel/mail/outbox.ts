import type { Transaction } from '../connection/database'
import type { SubgraphContext } from '../context'
import { uuidv7 } from '../id'
import { insertStatements } from '../statement'
import type { Mail } from './mail'
import { mailSeal } from './seal'

/** Puts mails into the outbox with the end of the transaction that they tell of: they leave if and only if it commits. */
export function writeMails(
  { binding, services }: SubgraphContext,
  transaction: Pick<Transaction, 'atEnd'>,
  mails: readonly Mail[],
): void {
  const { tenantId } = binding
  if (mails.length === 0 || !tenantId) return
  const now = services.clock.now()
  const seal = mailSeal(services.keys)
  const rows = mails.map((mail) => {
    const id = uuidv7(now.getTime())
    return [id, mail.kind, seal.close({ tenantId, id }, mail)]
  })
  const into = 'INSERT INTO shared.mails (created_at, due_at, id, kind, sealed)'
  const instant = now.toISOString()
  for (const statement of insertStatements(into, rows, { shared: [instant, instant] }))
    transaction.atEnd(statement)
}
