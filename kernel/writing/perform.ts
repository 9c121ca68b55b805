import type { SubgraphContext } from '../context'
import type { Transaction } from '../connection/database'
import { uuidv7 } from '../id'
import { insertStatements } from '../statement'
import { writeAudit, type AuditEntry } from './audit'
import { mutationTransaction, type MutationTransaction, type NewEvent } from './mutation-transaction'

/** Does the work in an open transaction; the audit rows and events of what it changed are sent with the end of it. */
export async function perform<T>(
  context: SubgraphContext,
  transaction: Transaction,
  work: (tx: MutationTransaction<string>) => Promise<T>,
): Promise<T> {
  const entries: AuditEntry[] = []
  const events: NewEvent[] = []
  const result = await work(mutationTransaction(context, transaction, entries, events))
  writeAudit(context, transaction, entries)
  writeEvents(context, transaction, events)
  return result
}

function writeEvents(context: SubgraphContext, transaction: Transaction, events: readonly NewEvent[]): void {
  const now = context.clock.now()
  const rows = events.map(({ aggregateType, aggregateId, eventType, payload }) => [
    uuidv7(now.getTime()),
    aggregateType,
    aggregateId,
    eventType,
    JSON.stringify(payload),
  ])
  const into =
    'INSERT INTO shared.outbox_events (created_at, id, aggregate_type, aggregate_id, event_type, payload)'
  for (const statement of insertStatements(into, rows, { shared: [now.toISOString()] }))
    transaction.atEnd(statement)
}
