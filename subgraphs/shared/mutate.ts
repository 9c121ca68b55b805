import { createHash } from 'node:crypto'
import { auditedValues, writeAudit, type AuditEntry } from './writing/audit'
import { violationOf } from './writing/constraints'
import type { SubgraphContext } from './context'
import type { Statement, Transaction } from './database'
import { entityModels, modelOf, type EntityClass, type EntityModel } from './entity'
import { unauthenticated, userError, UserErrors, type UserError } from './errors'
import { uuidv7 } from './id'
import { named } from './statement'
import {
  entityNameOf,
  insertRow,
  insertRowOnce,
  notFound,
  readRow,
  removeRow,
  updateRow,
} from './writing/write'

/**
 * Values for columns, as inputs have them: undefined leaves a column untouched, null empties it. Null in a column that
 * must have a value is a user error, so it is not a type error.
 */
export type Values<E> = { readonly [K in keyof E]?: E[K] | null }

/** A write in progress: every change is bound to the tenant, versioned and audited. */
export interface MutationTransaction {
  /** Adds a row and returns it whole. An omitted id is made; `createdById` and `updatedById` are the viewer. */
  insert<E>(entity: EntityClass<E>, values: Values<E>): Promise<E>
  /**
   * Adds a row unless the tenant has one with the same values of `key`, properties that are unique together; then
   * returns that one, as it is. For events that their source may send twice.
   */
  insertOnce<E>(
    entity: EntityClass<E>,
    values: Values<E>,
    key: readonly (keyof E & string)[],
  ): Promise<{ row: E; isNew: boolean }>
  /**
   * Changes a row and returns it whole. Fails with NOT_FOUND for an id this tenant does not own and with
   * STALE_VERSION when the row is no longer at `expectedVersion` (null: any version, for changes that no client read
   * first).
   */
  update<E>(
    entity: EntityClass<E>,
    id: string,
    expectedVersion: number | null,
    changes: Values<E>,
  ): Promise<E>
  /** Removes a row (softly, where the entity has `deletedAt`) and returns it as it was last. */
  remove<E>(entity: EntityClass<E>, id: string, expectedVersion?: number | null): Promise<E>
  /** The row with this id, locked until the transaction ends; fails with NOT_FOUND. */
  find<E>(entity: EntityClass<E>, id: string): Promise<E>
  /** Tenant-bound statements of the resolver's own; rows as arrays. */
  rows(statement: Statement): Promise<unknown[][]>
  run(statement: Statement): Promise<number>
  /** An event that leaves with the transaction, if and only if it commits. */
  emit(topic: string, payload: unknown): void
  /** An audit entry besides those that insert, update and remove write. */
  audit(entry: AuditEntry): void
  /** Ends the mutation with a user error; nothing is kept. */
  fail(code: string, message: string, field?: string): never
}

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
 * `work` may run again after a deadlock, so it must not touch anything but `tx`.
 */
export async function mutate<T extends object>(
  context: SubgraphContext,
  work: (tx: MutationTransaction) => Promise<T>,
  options: MutateOptions = {},
): Promise<Partial<T> & { userErrors: UserError[] }> {
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
      return { userErrors: failure.errors } as Partial<T> & { userErrors: UserError[] }
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
    named(insertEvents, [
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
    named(
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
    named(
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
    named(
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

function mutationTransaction(
  context: SubgraphContext,
  transaction: Transaction,
  entries: AuditEntry[],
  events: { topic: string; payload: unknown }[],
): MutationTransaction {
  return {
    rows: (statement) => transaction.rows(statement),
    run: (statement) => transaction.run(statement),
    emit: (topic, payload) => void events.push({ topic, payload }),
    audit: (entry) => void entries.push(entry),
    fail: (code, message, field) => {
      throw userError(code, message, field ? [field] : null)
    },
    async insert<E>(entity: EntityClass<E>, values: Values<E>): Promise<E> {
      const model = modelOf(context, entity)
      const row = await insertRow(context, transaction, model, values as Record<string, unknown>)
      entries.push(creation(model, row))
      return row as E
    },
    async insertOnce<E>(entity: EntityClass<E>, values: Values<E>, key: readonly string[]) {
      const model = modelOf(context, entity)
      const { row, isNew } = await insertRowOnce(
        context,
        transaction,
        model,
        values as Record<string, unknown>,
        key,
      )
      if (isNew) entries.push(creation(model, row))
      return { row: row as E, isNew }
    },
    async update<E>(
      entity: EntityClass<E>,
      id: string,
      expectedVersion: number | null,
      changes: Values<E>,
    ): Promise<E> {
      const model = modelOf(context, entity)
      const { before, after } = await updateRow(
        context,
        transaction,
        model,
        id,
        expectedVersion,
        changes as Record<string, unknown>,
      )
      const changed = Object.keys(before).filter((property) => !sameValue(before[property], after[property]))
      entries.push({
        action: 'UPDATE',
        resourceType: model.name,
        resourceId: id,
        changes: {
          before: auditedValues(model, before, changed),
          after: auditedValues(model, after, changed),
        },
      })
      return after as E
    },
    async remove<E>(entity: EntityClass<E>, id: string, expectedVersion: number | null = null): Promise<E> {
      const model = modelOf(context, entity)
      const row = await removeRow(context, transaction, model, id, expectedVersion)
      const kept = [...model.columns.keys()].filter((property) => row[property] !== null)
      entries.push({
        action: 'DELETE',
        resourceType: model.name,
        resourceId: id,
        changes: { before: auditedValues(model, row, kept) },
      })
      return row as E
    },
    async find<E>(entity: EntityClass<E>, id: string): Promise<E> {
      const row = await readRow(context, transaction, modelOf(context, entity), id, 'FOR UPDATE')
      if (!row) throw notFound()
      return row as E
    },
  }
}

function creation(model: EntityModel, row: Readonly<Record<string, unknown>>): AuditEntry {
  const given = [...model.columns.keys()].filter((property) => row[property] !== null)
  const changes = { after: auditedValues(model, row, given) }
  return { action: 'CREATE', resourceType: model.name, resourceId: String(row['id']), changes }
}

const sameValue = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)
