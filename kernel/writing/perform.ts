import type { SubgraphContext } from '../context'
import type { Transaction } from '../connection/database'
import { uuidv7 } from '../id'
import { writeMails } from '../mail/outbox'
import { insertStatements } from '../statement'
import { writeAudit, type Mask } from './audit'
import {
  mutationTransaction,
  type MutationTransaction,
  type NewEvent,
  type Told,
} from './mutation-transaction'

/** Does the work in an open transaction; the audit rows, events and mails of what it changed are sent with the end of it. */
export async function perform<T>(
  context: SubgraphContext,
  transaction: Transaction,
  work: (tx: MutationTransaction<string>) => Promise<T>,
  mask: Mask,
): Promise<T> {
  const told: Told = { entries: [], events: [], mails: [] }
  const result = await work(mutationTransaction(context, transaction, told, mask))
  await writeMails(context, transaction, told.mails)
  writeAudit(context, transaction, told.entries)
  writeEvents(context, transaction, told.events)
  return result
}

function writeEvents(context: SubgraphContext, transaction: Transaction, events: readonly NewEvent[]): void {
  const now = context.services.clock.now()
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
