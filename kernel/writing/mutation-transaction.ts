import type { SubgraphContext } from '../context'
import type { Statement, Transaction } from '../connection/database'
import type { EntityClass } from '../entity'
import type { Mail } from '../mail/mail'
import { modelOf, type EntityModel } from '../schema/entity-model'
import { UserErrors } from '../errors'
import { auditedValues, type AuditEntry, type Mask } from './audit'
import { requireRuleWriter } from './rule-columns'
import {
  insertRow,
  insertRowOnce,
  insertRows,
  notFound,
  readRow,
  removeRow,
  removeRows,
  updateRow,
} from './write'

/**
 * Values for columns, as inputs have them: undefined leaves a column untouched, null empties it. Null in a column that
 * must have a value is a user error, so it is not a type error.
 */
export type Values<E> = { readonly [K in keyof E]?: E[K] | null }

/**
 * A write in progress: every change is bound to the tenant, versioned and audited. What a row rule looks at is written
 * only by the rule's writers (`kernel/policy.ts`); others get PERMISSION_NOT_HELD, and OWN_RECORD where it is about them.
 * `Code`: with what it may fail; a function that fails itself names its subgraph's generated `XUserErrorCode`, any other
 * needs none.
 */
export interface MutationTransaction<Code extends string = never> {
  /** Adds a row and returns it whole. An omitted id is made; `createdById` and `updatedById` are the viewer. */
  insert<E>(entity: EntityClass<E>, values: Values<E>): Promise<E>
  /** Adds rows that give values to the same columns, in one statement, and returns them whole and in their order. */
  insertAll<E>(entity: EntityClass<E>, rows: readonly Values<E>[]): Promise<E[]>
  /**
   * Adds a row unless the tenant has one with the same values of `key`, properties that are unique together; then
   * returns that one, as it is. For events that their source may send twice.
   * @example const { row, isNew } = await tx.insertOnce(Holiday, { day: '2026-12-25', name: 'Christmas' }, ['day'])
   */
  insertOnce<E>(
    entity: EntityClass<E>,
    values: Values<E>,
    key: readonly (keyof E & string)[],
  ): Promise<{ row: E; isNew: boolean }>
  /**
   * Changes a row and returns it whole. Fails with NOT_FOUND for an id this tenant does not own and with
   * STALE_VERSION when the row is no longer at `expectedVersion` (null: any version, for changes that no client read
   * first). A row that has all values of `changes` stays as it is: no version, no audit entry. `along` is written with a
   * change and is none by itself, such as who made it.
   */
  update<E>(
    entity: EntityClass<E>,
    id: string,
    expectedVersion: number | null,
    changes: Values<E>,
    along?: Values<E>,
  ): Promise<E>
  /** Removes a row (softly, where the entity has `deletedAt`) and returns it as it was last. */
  remove<E>(entity: EntityClass<E>, id: string, expectedVersion?: number | null): Promise<E>
  /** Removes rows of an entity without `deletedAt`, in one statement, and returns them; fails with NOT_FOUND. */
  removeAll<E>(entity: EntityClass<E>, ids: readonly string[]): Promise<E[]>
  /** The row with this id, locked until the transaction ends; fails with NOT_FOUND. */
  find<E>(entity: EntityClass<E>, id: string): Promise<E>
  /** Tenant-bound statements of the resolver's own; rows as arrays. */
  rows(statement: Statement): Promise<unknown[][]>
  run(statement: Statement): Promise<number>
  /** Undoes only the work given when it fails, with what the trail, events and mails would tell of it, and passes its error on. */
  savepoint<T>(work: () => Promise<T>): Promise<T>
  /**
   * An event besides those that insert, update and remove write: about a row, it leaves if and only if the transaction
   * commits. Its type is the subgraph's, `identity.user-invited`; its payload holds no value that not everybody may know.
   */
  emit(eventType: string, about: { type: string; id: string }, payload: object): void
  /**
   * A mail that leaves after the transaction, if and only if it commits; `composeMail` makes one. Too many within an hour end
   * the mutation with RATE_LIMITED, which the subgraph's codes must have.
   */
  mail(mail: Mail): void
  /** An audit entry besides those that insert, update and remove write. */
  audit(entry: AuditEntry): void
  /** Ends the mutation with a user error; nothing is kept. */
  fail(code: Code, message: string, field?: string): never
}

/** An event as it stands in the outbox, in the words of change data capture. */
export interface NewEvent {
  aggregateType: string
  aggregateId: string
  eventType: string
  payload: object
}

/** Collects what a transaction writes with its end. */
export interface Told {
  entries: AuditEntry[]
  events: NewEvent[]
  mails: Mail[]
}

/** The writes of one transaction. What they are told of is added to `told`, masked with `mask` where it is for the trail. */
export function mutationTransaction(
  context: SubgraphContext,
  transaction: Transaction,
  { entries, events, mails }: Told,
  mask: Mask,
): MutationTransaction<string> {
  const note = changeNotes(entries, events, mask)
  return {
    rows: (statement) => transaction.rows(statement),
    run: (statement) => transaction.run(statement),
    savepoint: (work) => savepoint(transaction, [entries, events, mails], work),
    emit: (eventType, { type, id }, payload) =>
      void events.push({ aggregateType: type, aggregateId: id, eventType, payload }),
    mail: (mail) => void mails.push(mail),
    audit: (entry) => void entries.push(entry),
    fail: (code, message, field) => {
      throw new UserErrors([{ code, message, field: field ? [field] : null }])
    },
    async insert<E>(entity: EntityClass<E>, values: Values<E>): Promise<E> {
      const model = modelOf(context, entity)
      const row = await insertRow(context, transaction, model, values as Record<string, unknown>)
      requireRuleWriter(context, model, null, row, Object.keys(values))
      note.creation(model, row)
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
      if (isNew) {
        requireRuleWriter(context, model, null, row, Object.keys(values))
        note.creation(model, row)
      }
      return { row: row as E, isNew }
    },
    async insertAll<E>(entity: EntityClass<E>, rows: readonly Values<E>[]): Promise<E[]> {
      const model = modelOf(context, entity)
      const added = await insertRows(context, transaction, model, rows as readonly Record<string, unknown>[])
      for (const [place, row] of added.entries())
        requireRuleWriter(context, model, null, row, Object.keys(rows[place]!))
      for (const row of added) note.creation(model, row)
      return added as E[]
    },
    async update<E>(
      entity: EntityClass<E>,
      id: string,
      expectedVersion: number | null,
      changes: Values<E>,
      along: Values<E> = {},
    ): Promise<E> {
      const model = modelOf(context, entity)
      const { before, after } = await updateRow(
        context,
        transaction,
        model,
        id,
        expectedVersion,
        changes as Record<string, unknown>,
        along as Record<string, unknown>,
      )
      if (!before) return after as E
      requireRuleWriter(context, model, before, after, Object.keys(before))
      note.update(model, before, after)
      return after as E
    },
    async remove<E>(entity: EntityClass<E>, id: string, expectedVersion: number | null = null): Promise<E> {
      const model = modelOf(context, entity)
      const row = await removeRow(context, transaction, model, id, expectedVersion)
      note.removal(model, row)
      return row as E
    },
    async removeAll<E>(entity: EntityClass<E>, ids: readonly string[]): Promise<E[]> {
      const model = modelOf(context, entity)
      const removed = await removeRows(context, transaction, model, ids)
      for (const row of removed) note.removal(model, row)
      return removed as E[]
    },
    async find<E>(entity: EntityClass<E>, id: string): Promise<E> {
      const row = await readRow(context, transaction, modelOf(context, entity), id, 'FOR UPDATE')
      if (!row) throw notFound()
      return row as E
    },
  }
}

/** Undoes work that fails, and forgets what was told of it. */
async function savepoint<T>(
  transaction: Transaction,
  lists: readonly unknown[][],
  work: () => Promise<T>,
): Promise<T> {
  const lengths = lists.map(({ length }) => length)
  try {
    return await transaction.savepoint(work)
  } catch (error) {
    for (const [place, list] of lists.entries()) list.length = lengths[place]!
    throw error
  }
}

type Row = Readonly<Record<string, unknown>>

/** Adds what tells of changed rows: an audit entry and an event each. */
function changeNotes(entries: AuditEntry[], events: NewEvent[], mask: Mask) {
  return {
    creation(model: EntityModel, row: Row): void {
      const fields = given(model, row)
      entries.push(creation(model, row, fields, mask))
      events.push(change(model, 'created', row, fields))
    },
    update(model: EntityModel, before: Row, after: Row): void {
      const changed = Object.keys(before).filter((property) => !sameValue(before[property], after[property]))
      const resourceId = String(after['id'])
      entries.push({
        action: 'UPDATE',
        resourceType: model.name,
        resourceId,
        changes: {
          before: auditedValues(model, resourceId, before, changed, mask),
          after: auditedValues(model, resourceId, after, changed, mask),
        },
      })
      events.push(change(model, 'updated', after, changed))
    },
    removal(model: EntityModel, row: Row): void {
      entries.push(removal(model, row, mask))
      events.push(change(model, 'deleted', row, []))
    },
  }
}

function creation(model: EntityModel, row: Row, fields: readonly string[], mask: Mask): AuditEntry {
  const resourceId = String(row['id'])
  const changes = { after: auditedValues(model, resourceId, row, fields, mask) }
  return { action: 'CREATE', resourceType: model.name, resourceId, changes }
}

function removal(model: EntityModel, row: Row, mask: Mask): AuditEntry {
  const resourceId = String(row['id'])
  const changes = { before: auditedValues(model, resourceId, row, given(model, row), mask) }
  return { action: 'DELETE', resourceType: model.name, resourceId, changes }
}

/** The event of a change: names and never values, which are for those alone who may read the row. */
function change(
  model: EntityModel,
  eventType: 'created' | 'updated' | 'deleted',
  row: Row,
  fields: readonly string[],
): NewEvent {
  const payload = { version: row['version'], fields: fields.filter((field) => !unnamed.has(field)) }
  return { aggregateType: model.name, aggregateId: String(row['id']), eventType, payload }
}

/** Properties that every change is about. */
const unnamed: ReadonlySet<string> = new Set(['tenantId', 'id', 'version', 'createdAt', 'updatedAt'])

const given = (model: EntityModel, row: Row): string[] =>
  [...model.columns.keys()].filter((property) => row[property] !== null)

const sameValue = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)
