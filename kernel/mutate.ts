import { createHash } from 'node:crypto'
import { writeAudit, type AuditEntry } from './writing/audit'
import { violationOf } from './writing/constraints'
import type { SubgraphContext } from './context'
import type { Transaction } from './connection/database'
import { entityModels } from './entity'
import { unauthenticated, userError, UserErrors, type UserError } from './errors'
import { uuidv7 } from './id'
import { prepared } from './statement'
import { mutationTransaction, type MutationTransaction } from './writing/mutation-transaction'
import { entityNameOf, readRow } from './writing/write'

export type { MutationTransaction, Values } from './writing/mutation-transaction'

export interface MutateOptions {
  /** A client's key for this request: the same key and input again gives the first answer and changes nothing. */
  idempotencyKey?: string | null
  /** Name and input of the mutation; needed with a key. */
  operation?: string
  input?: unknown
}

/** PostgreSQL's codes for "run the transaction again": serialization failure and deadlock. */
const retryable = new Set(['40001', '40P01'])
const attempts = 3

/**
 * Runs one mutation: a single transaction with the changes, their audit rows and their events. User errors and violated
 * constraints come back as `userErrors` and leave nothing behind; any other failure is thrown after the rollback.
 * `work` may run again after a deadlock, so it must not touch anything but `tx`. `Code` comes from the payload that the
 * resolver answers: the subgraph's generated `XUserErrorCode`.
 */
export async function mutate<T extends object, Code extends string>(
  context: SubgraphContext,
  work: (tx: MutationTransaction<Code>) => Promise<T>,
  options: MutateOptions = {},
): Promise<Partial<T> & { userErrors: UserError<Code>[] }> {
  if (!context.binding.tenantId) throw unauthenticated()
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await context.db.transaction(context.binding, (transaction) =>
        options.idempotencyKey
          ? once(context, transaction, work, options)
          : perform(context, transaction, work),
      )
      context.loaders.clear()
      return { ...result, userErrors: [] }
    } catch (error) {
      if (
        attempt < attempts &&
        error instanceof Error &&
        'code' in error &&
        retryable.has(String(error.code))
      )
        continue
      const failure = error instanceof UserErrors ? error : await violationOf(context, error)
      if (!failure) throw error
      return { userErrors: failure.errors } as Partial<T> & { userErrors: UserError<Code>[] }
    }
  }
}

async function perform<T>(
  context: SubgraphContext,
  transaction: Transaction,
  work: (tx: MutationTransaction) => Promise<T>,
): Promise<T> {
  const entries: AuditEntry[] = []
  const events: { topic: string; payload: unknown }[] = []
  const result = await work(mutationTransaction(context, transaction, entries, events))
  writeAudit(context, transaction, entries)
  writeEvents(context, transaction, events)
  return result
}

const insertEvents = `
  INSERT INTO shared.outbox_events (id, topic, payload, created_at)
  SELECT event.id, event.topic, event.payload, $1 FROM unnest($2::uuid[], $3::text[], $4::jsonb[]) AS event(id, topic, payload)`

function writeEvents(
  context: SubgraphContext,
  transaction: Transaction,
  events: readonly { topic: string; payload: unknown }[],
): void {
  if (events.length === 0) return
  const now = context.clock.now()
  transaction.atEnd(
    prepared(insertEvents, [
      now.toISOString(),
      events.map(() => uuidv7(now.getTime())),
      events.map((event) => event.topic),
      events.map((event) => JSON.stringify(event.payload)),
    ]),
  )
}

/**
 * Claims the key, works, and remembers which rows the answer held. A second request with the key waits for the first to
 * end; it then gets the same rows, as they are now, or an error when its input differs.
 */
async function once<T extends object>(
  context: SubgraphContext,
  transaction: Transaction,
  work: (tx: MutationTransaction) => Promise<T>,
  options: MutateOptions,
): Promise<T> {
  const key = [context.binding.actorId, options.operation, options.idempotencyKey]
  const hash = createHash('sha256')
    .update(JSON.stringify(options.input ?? null))
    .digest('hex')
  const claimed = await transaction.run(
    prepared(
      `INSERT INTO shared.idempotency_keys (actor_id, operation, key, input_hash, created_at)
       VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
      [...key, hash, context.clock.now().toISOString()],
    ),
  )
  if (claimed === 0) return replay<T>(context, transaction, key, hash)
  const result = await perform(context, transaction, work)
  const answer = Object.entries(result).flatMap(([name, row]) => {
    const entity = typeof row === 'object' && row !== null ? entityNameOf(row) : undefined
    return entity ? [[name, entity, (row as { id: string }).id]] : []
  })
  transaction.atEnd(
    prepared(
      'UPDATE shared.idempotency_keys SET result = $4 WHERE actor_id = $1 AND operation = $2 AND key = $3',
      [...key, JSON.stringify(answer)],
    ),
  )
  return result
}

async function replay<T>(
  context: SubgraphContext,
  transaction: Transaction,
  key: unknown[],
  hash: string,
): Promise<T> {
  const [first] = await transaction.rows(
    prepared(
      'SELECT input_hash, result FROM shared.idempotency_keys WHERE actor_id = $1 AND operation = $2 AND key = $3',
      key,
    ),
  )
  if (first?.[0] !== hash)
    throw userError(
      'IDEMPOTENCY_KEY_REUSED',
      'This idempotency key was used with another input: choose a new one',
      ['idempotencyKey'],
    )
  const result: Record<string, unknown> = {}
  for (const [name, entityName, id] of (first[1] ?? []) as [string, string, string][]) {
    const model = [...entityModels(context.db.dataSource).values()].find((one) => one.name === entityName)!
    result[name] = await readRow(context, transaction, model, id, '')
  }
  return result as T
}
