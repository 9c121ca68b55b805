import { isDeepStrictEqual } from 'node:util'
import type { SubgraphContext } from '../context'
import { inputName } from './constraints'
import type { Transaction } from '../connection/database'
import type { EntityModel } from '../schema/entity-model'
import { decryptRows, encryptWritten } from '../encryption/encrypted-columns'
import { fullProjection } from '../reading/projection'
import { userError, type UserErrors } from '../errors'
import { equalities, scopeConditions } from '../reading/scope'
import { isUuid, uuidv7 } from '../id'
import { insertStatements, prepared, Parameters } from '../statement'

type Row = Record<string, unknown>

/** Which entity a row that a write returned belongs to. */
const entityNames = new WeakMap<object, string>()

/** The entity name of a row that this module returned; undefined for any other object. */
export function entityNameOf(row: object): string | undefined {
  return entityNames.get(row)
}

/** The user error for an id that this tenant does not own, whether or not another does. */
export const notFound = (): UserErrors => userError('NOT_FOUND', 'There is no record with this id', ['id'])

/** The values to write by column, checked for what PostgreSQL would refuse without naming the column. */
function columnValues(model: EntityModel, values: Readonly<Row>): Map<string, unknown> {
  const written = new Map<string, unknown>()
  for (const [property, value] of Object.entries(values)) {
    if (value === undefined) continue
    const column = model.columns.get(property)
    if (!column) throw new Error(`${model.name} has no property ${property}`)
    const field = inputName(model, property)
    if (column.type === 'uuid' && value !== null && !isUuid(String(value)))
      throw userError('REFERENCE_NOT_FOUND', `${field} is not an id`, [field])
    if (column.length !== null) requireLength(value, column.length, [field])
    written.set(property, column.type === 'jsonb' && value !== null ? JSON.stringify(value) : value)
  }
  return written
}

/** Refuses a text, or one of a list, with more characters. */
function requireLength(value: unknown, length: number, field: readonly [string, ...string[]]): void {
  if (Array.isArray(value))
    value.forEach((item, place) => requireLength(item, length, [...field, `${place}`]))
  else if (typeof value === 'string' && [...value].length > length)
    throw userError('INVALID', `${field[0]} must have at most ${length} characters`, [...field])
}

/** Adds a row and returns it whole. */
export async function insertRow(
  context: SubgraphContext,
  transaction: Transaction,
  model: EntityModel,
  values: Row,
): Promise<Row> {
  return (await insert(context, transaction, model, values, ''))!
}

/**
 * Adds a row unless the tenant has one with the same values of the properties `key`, which must be unique. Returns the
 * row that is there then, whole. A row that another transaction is adding is waited for.
 */
export async function insertRowOnce(
  context: SubgraphContext,
  transaction: Transaction,
  model: EntityModel,
  values: Row,
  key: readonly string[],
): Promise<{ row: Row; isNew: boolean }> {
  const columns = ['tenantId', ...key].map((property) => model.columns.get(property)!.sql)
  const onConflict = `ON CONFLICT (${columns.join(', ')}) DO NOTHING`
  const row = await insert(context, transaction, model, values, onConflict)
  if (row) return { row, isNew: true }
  const parameters = new Parameters()
  const known = Object.fromEntries(key.map((property) => [property, values[property]]))
  const conditions = [...scopeConditions(context, model, parameters), ...equalities(model, known, parameters)]
  const projection = fullProjection(model)
  const text = `SELECT ${projection.selectList} FROM ${model.table} t WHERE ${conditions.join(' AND ')}`
  const [found] = await transaction.rows(prepared(text, parameters.values))
  return { row: await returned(context, transaction, model, projection.toRow(found!)), isNew: false }
}

/**
 * Adds rows that give values to the same columns, in one statement for as many as it takes, and returns them whole and in
 * their order.
 */
export async function insertRows(
  context: SubgraphContext,
  transaction: Transaction,
  model: EntityModel,
  rows: readonly Row[],
): Promise<Row[]> {
  const written: Map<string, unknown>[] = []
  for (const values of rows) written.push(await valuesToInsert(context, transaction, model, values))
  const [first] = written
  if (!first) return []
  const properties = [...first.keys()]
  if (written.some((values) => values.size !== first.size || !properties.every((name) => values.has(name))))
    throw new Error(`Rows of ${model.name} that are added together must give values to the same columns`)
  const columns = properties.map((property) => model.columns.get(property)!)
  const projection = fullProjection(model)
  const into = `INSERT INTO ${model.table} AS t (${columns.map(({ sql }) => sql).join(', ')})`
  const lists = written.map((values) => properties.map((property) => values.get(property)))
  const after = `RETURNING ${projection.selectList}`
  const added = new Map<unknown, Row>()
  for (const statement of insertStatements(into, lists, { after })) {
    for (const values of await transaction.rows(statement)) {
      const row = await returned(context, transaction, model, projection.toRow(values))
      added.set(row['id'], row)
    }
  }
  return written.map((values) => added.get(values.get('id'))!)
}

/** The user who writes. An operator is none of the tenant's: the audit trail alone names one. */
const authorOf = ({ operator, binding }: SubgraphContext): string | null =>
  operator ? null : (binding.actorId ?? null)

/** Returns what an insert writes: what was given, a new id and the viewer where they were not. */
async function valuesToInsert(
  context: SubgraphContext,
  transaction: Transaction,
  model: EntityModel,
  values: Row,
): Promise<Map<string, unknown>> {
  const author = authorOf(context)
  const defaults: Row = { id: uuidv7(context.clock.now().getTime()) }
  if (model.columns.has('createdById')) defaults['createdById'] = author
  if (model.columns.has('updatedById')) defaults['updatedById'] = author
  const written = columnValues(model, { ...defaults, ...values })
  if (model.encrypted.size > 0)
    await encryptWritten(context, transaction.rows, model, String(written.get('id')), written)
  return written
}

/** Null when `onConflict` left the row out. */
async function insert(
  context: SubgraphContext,
  transaction: Transaction,
  model: EntityModel,
  values: Row,
  onConflict: string,
): Promise<Row | null> {
  const written = await valuesToInsert(context, transaction, model, values)
  const parameters = new Parameters()
  const columns = [...written.keys()].map((property) => model.columns.get(property)!.sql)
  const placeholders = [...written.values()].map((value) => parameters.add(value))
  const projection = fullProjection(model)
  const text =
    `INSERT INTO ${model.table} AS t (${columns.join(', ')}) VALUES (${placeholders.join(', ')}) ` +
    `${onConflict} RETURNING ${projection.selectList}`
  const [row] = await transaction.rows(prepared(text, parameters.values))
  return row ? returned(context, transaction, model, projection.toRow(row)) : null
}

/** A row as it is in memory, with its values decrypted. */
async function returned(
  context: SubgraphContext,
  transaction: Transaction,
  model: EntityModel,
  row: Row,
): Promise<Row> {
  entityNames.set(row, model.name)
  if (model.encrypted.size > 0)
    await decryptRows(context, transaction.rows, model, fullProjection(model), [row])
  return row
}

/**
 * One statement locks the row, checks its version, changes it and tells both states. `before` is null when the row has
 * all values of `changes` already: then nothing is written, its version and `along` included.
 * @param along written with a change, but none by itself
 */
export async function updateRow(
  context: SubgraphContext,
  transaction: Transaction,
  model: EntityModel,
  id: string,
  expectedVersion: number | null,
  changes: Row,
  along: Row = {},
): Promise<{ before: Row | null; after: Row }> {
  if (!isUuid(id)) throw notFound()
  const author = model.columns.has('updatedById') ? { updatedById: authorOf(context) } : {}
  const different =
    model.encrypted.size > 0 ? await withoutKnown(context, transaction, model, id, changes) : changes
  const written = columnValues(model, { ...author, ...along, ...different })
  if (model.encrypted.size > 0) await encryptWritten(context, transaction.rows, model, id, written)
  const parameters = new Parameters()
  const conditions = scopeConditions(context, model, parameters)
  conditions.push(`t."id" = ${parameters.add(id)}`)
  const assignments: string[] = []
  const differences: string[] = []
  for (const [property, value] of written) {
    const { sql } = model.columns.get(property)!
    const placeholder = parameters.add(value)
    assignments.push(`${sql} = ${placeholder}`)
    if (property in changes) differences.push(`before.${sql} IS DISTINCT FROM ${placeholder}`)
  }
  if (model.columns.has('version')) assignments.push('"version" = before."version" + 1')
  if (model.columns.has('updatedAt') && !written.has('updatedAt')) assignments.push('"updated_at" = now()')
  const versionCheck =
    expectedVersion === null ? '' : ` AND before."version" = ${parameters.add(expectedVersion)}`
  const old = [...written.keys()]
  const projection = fullProjection(model)
  // The tenant as a value as well: without it a distributed PostgreSQL would ask every place for the row to change.
  const key = model.tenantOwned
    ? `t."tenant_id" = ${parameters.add(context.binding.tenantId)} AND t."tenant_id" = before."tenant_id" AND t."id" = before."id"`
    : 't."id" = before."id"'
  const text =
    `WITH before AS MATERIALIZED (SELECT t.* FROM ${model.table} t WHERE ${conditions.join(' AND ')} FOR UPDATE) ` +
    `UPDATE ${model.table} t SET ${assignments.join(', ')} FROM before WHERE ${key}${versionCheck} ` +
    `AND (${differences.join(' OR ') || 'false'}) ` +
    `RETURNING ${[projection.selectList, ...old.map((property) => `before.${model.columns.get(property)!.sql}`)].join(', ')}`
  const [row] = await transaction.rows(prepared(text, parameters.values))
  if (!row)
    return { before: null, after: await rowAtVersion(context, transaction, model, id, expectedVersion) }
  const after = await returned(context, transaction, model, projection.toRow(row))
  const before: Row = {}
  old.forEach((property, place) => (before[property] = row[projection.properties.length + place]))
  if (model.encrypted.size > 0) {
    const known = { ...before, id }
    await decryptRows(context, transaction.rows, model, projection, [known])
    old.forEach((property) => (before[property] = known[property as keyof typeof known]))
  }
  return { before, after }
}

/**
 * Changes without those to encrypted columns that the row, which is locked, has already: the same value is another text
 * each time it is encrypted, so the database cannot tell.
 */
async function withoutKnown(
  context: SubgraphContext,
  transaction: Transaction,
  model: EntityModel,
  id: string,
  changes: Row,
): Promise<Row> {
  if (!Object.keys(changes).some((property) => model.encrypted.has(property))) return changes
  const row = await readRow(context, transaction, model, id, 'FOR UPDATE')
  if (!row) throw notFound()
  const isKnown = (property: string) =>
    model.encrypted.has(property) && isDeepStrictEqual(row[property], changes[property])
  return Object.fromEntries(Object.entries(changes).filter(([property]) => !isKnown(property)))
}

/** Deletes a row, softly where the entity has `deletedAt`, and returns it as it was last. */
export async function removeRow(
  context: SubgraphContext,
  transaction: Transaction,
  model: EntityModel,
  id: string,
  expectedVersion: number | null,
): Promise<Row> {
  if (model.softDeleted) {
    const deletedAt = context.clock.now().toISOString()
    return (await updateRow(context, transaction, model, id, expectedVersion, { deletedAt })).after
  }
  if (!isUuid(id)) throw notFound()
  const parameters = new Parameters()
  const conditions = scopeConditions(context, model, parameters)
  conditions.push(`t."id" = ${parameters.add(id)}`)
  if (expectedVersion !== null) conditions.push(`t."version" = ${parameters.add(expectedVersion)}`)
  const projection = fullProjection(model)
  const text = `DELETE FROM ${model.table} t WHERE ${conditions.join(' AND ')} RETURNING ${projection.selectList}`
  const [row] = await transaction.rows(prepared(text, parameters.values))
  if (row) return returned(context, transaction, model, projection.toRow(row))
  await rowAtVersion(context, transaction, model, id, expectedVersion)
  throw notFound()
}

/**
 * Deletes rows of an entity without `deletedAt` in one statement, and returns them as they were last, in no order. Fails
 * with NOT_FOUND when this tenant does not own one of them.
 */
export async function removeRows(
  context: SubgraphContext,
  transaction: Transaction,
  model: EntityModel,
  ids: readonly string[],
): Promise<Row[]> {
  if (model.softDeleted) throw new Error(`${model.name} is deleted softly: remove its rows one by one`)
  const wanted = new Set(ids)
  if (wanted.size === 0) return []
  if (![...wanted].every(isUuid)) throw notFound()
  const parameters = new Parameters()
  const conditions = scopeConditions(context, model, parameters)
  conditions.push(`t."id" = ANY(${parameters.add([...wanted])})`)
  const projection = fullProjection(model)
  const text = `DELETE FROM ${model.table} t WHERE ${conditions.join(' AND ')} RETURNING ${projection.selectList}`
  const removed = await transaction.rows(prepared(text, parameters.values))
  if (removed.length < wanted.size) throw notFound()
  return Promise.all(removed.map((values) => returned(context, transaction, model, projection.toRow(values))))
}

/** A whole row by its id, locked if asked; null when this tenant owns none. */
export async function readRow(
  context: SubgraphContext,
  transaction: Transaction,
  model: EntityModel,
  id: string,
  lock: '' | 'FOR UPDATE',
): Promise<Row | null> {
  if (!isUuid(id)) return null
  const parameters = new Parameters()
  const conditions = scopeConditions(context, model, parameters)
  conditions.push(`t."id" = ${parameters.add(id)}`)
  const projection = fullProjection(model)
  const text = `SELECT ${projection.selectList} FROM ${model.table} t WHERE ${conditions.join(' AND ')} ${lock}`
  const [row] = await transaction.rows(prepared(text, parameters.values))
  return row ? returned(context, transaction, model, projection.toRow(row)) : null
}

/** A whole row; throws NOT_FOUND when this tenant owns none, and STALE_VERSION when it is at another version. */
async function rowAtVersion(
  context: SubgraphContext,
  transaction: Transaction,
  model: EntityModel,
  id: string,
  expectedVersion: number | null,
): Promise<Row> {
  const row = await readRow(context, transaction, model, id, '')
  if (!row) throw notFound()
  if (expectedVersion === null || row['version'] === expectedVersion) return row
  const message = `This record is at version ${String(row['version'])} now, not ${expectedVersion}: read it again and repeat the change`
  throw userError('STALE_VERSION', message, ['expectedVersion'])
}
