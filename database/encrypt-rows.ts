import { setTimeout as sleep } from 'node:timers/promises'
import { Client, type ClientBase } from 'pg'
import { isEncryptedSql, keyIdOf, keyIdSql, type DataKey } from '../kernel/encryption/cipher'
import { rewrapKeys, wholeTenant, type DataKeys, type SendRows } from '../kernel/encryption/data-keys'
import { rewrapOperatorFactors } from './operators'
import { encrypted, encryptedTextOf, indexOf, placeOfValue } from '../kernel/encryption/encrypted-columns'
import type { EncryptedColumn, EntityModel } from '../kernel/schema/entity-model'

/** Rows that one transaction encrypts: few enough that nobody waits long for one of them. */
const batchRows = 200
/** Milliseconds after which every process knows a new key. */
const keysSettleMs = 65_000

/** Describes how far encrypting is, after each batch. */
export interface EncryptProgress {
  tenantId: string
  /** schema.table */
  table: string
  /** Rows encrypted so far, in all tables and tenants. */
  done: number
}

/** The expression of the encrypted text in a column, over table alias t. */
const textSql = ({ sql, isJson }: EncryptedColumn): string =>
  isJson ? `coalesce(t.${sql} ->> 'encrypted', t.${sql} ->> 0, t.${sql} #>> '{}')` : `t.${sql}`

/**
 * Makes the first key of every tenant that has none. Subgraphs may not: whoever took one over could make a key that does not
 * open, and the tenant's values could not be encrypted. To be called when a tenant was made, in its transaction or after it,
 * and at each start.
 * @param client as the owner
 * @returns the number of keys
 */
export async function makeTenantKeys(client: ClientBase, dataKeys: DataKeys): Promise<number> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT t.id FROM tenancy.tenants t
      WHERE NOT EXISTS (SELECT FROM shared.data_keys k WHERE k.tenant_id = t.id AND k.subject_id = $1) ORDER BY t.id`,
    [wholeTenant],
  )
  for (const { id } of rows) await dataKeys.addGeneration(sendRows(client), id)
  return rows.length
}

/** The same over a connection of its own. */
export async function makeKeysOfTenants(migratorUrl: string, dataKeys: DataKeys): Promise<number> {
  return connected(migratorUrl, (client) => makeTenantKeys(client, dataKeys))
}

/**
 * Encrypts what stands in clear, and anew what was encrypted with another than the tenant's current key. Each batch is a
 * transaction of its own, so it can be stopped and run again at any time, beside requests: what was encrypted before and
 * after is read all along.
 * @param client as the owner, outside of a transaction
 * @param options.isClearOnly leaves alone what is encrypted, with whichever key
 * @returns the number of rows that were encrypted
 */
export async function encryptRows(
  client: ClientBase,
  dataKeys: DataKeys,
  models: readonly EntityModel[],
  options: { isClearOnly?: boolean; onProgress?: (progress: EncryptProgress) => void } = {},
): Promise<number> {
  let total = 0
  await makeTenantKeys(client, dataKeys)
  for (const model of models) {
    for (const tenantId of await (options.isClearOnly ? tenantsInClear(client, model) : allTenants(client))) {
      for (let after: string | null = wholeTenant; after !== null;) {
        const batch: Batch = await inTransaction(client, tenantId, (send) =>
          encryptBatch(send, dataKeys, model, tenantId, after!, options.isClearOnly ?? false),
        )
        total += batch.rows
        after = batch.last
        if (batch.rows > 0)
          options.onProgress?.({ tenantId, table: model.table.replaceAll('"', ''), done: total })
      }
    }
  }
  return total
}

/**
 * Gives every tenant a new key, wraps all with the provider's current master key, and encrypts all rows anew. The former
 * keys stay: backups were made with them.
 * @param options.settleMs waits so long after the new keys are there, default 65 s: until then a process may not find values
 * by them
 */
export async function rotateKeys(
  client: ClientBase,
  dataKeys: DataKeys,
  models: readonly EntityModel[],
  options: { settleMs?: number; onProgress?: (progress: EncryptProgress) => void } = {},
): Promise<{ rewrapped: number; rows: number }> {
  let rewrapped = await rewrapOperatorFactors(client, dataKeys.provider)
  for (const tenantId of await allTenants(client)) {
    rewrapped += await inTransaction(client, tenantId, (send) =>
      rewrapKeys(send, dataKeys.provider, tenantId),
    )
    await inTransaction(client, tenantId, (send) => dataKeys.addGeneration(send, tenantId))
  }
  await sleep(options.settleMs ?? keysSettleMs)
  return { rewrapped, rows: await encryptRows(client, dataKeys, models, options) }
}

/**
 * Destroys the keys of one person: what they encrypted is gone, in the tables and in every copy that does not hold the
 * keys. Other processes forget the keys within five minutes.
 * @returns the number of keys
 */
export function destroyKeys(client: ClientBase, tenantId: string, subjectId: string): Promise<number> {
  return inTransaction(client, tenantId, async (send) => {
    const text = `UPDATE shared.data_keys SET wrapped = NULL
      WHERE tenant_id = $1 AND subject_id = $2 AND subject_id <> '${wholeTenant}' AND wrapped IS NOT NULL RETURNING id`
    return (await send({ text, values: [tenantId, subjectId] })).length
  })
}

/** {@link encryptRows} of what stands in clear, over a connection of its own: at each start, and after demo data. */
export async function encryptClearRows(
  migratorUrl: string,
  dataKeys: DataKeys,
  models: readonly EntityModel[],
): Promise<number> {
  return connected(migratorUrl, (client) => encryptRows(client, dataKeys, models, { isClearOnly: true }))
}

async function connected<T>(migratorUrl: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: migratorUrl })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

interface Batch {
  rows: number
  /** The id after which the next batch begins; null when there is none. */
  last: string | null
}

async function encryptBatch(
  send: SendRows,
  dataKeys: DataKeys,
  model: EntityModel,
  tenantId: string,
  after: string,
  isClearOnly: boolean,
): Promise<Batch> {
  const columns = [...model.encrypted.values()]
  const [current] = isClearOnly ? [] : await dataKeys.ofTenant(send, tenantId)
  const values: unknown[] = [tenantId, after]
  const former = columns.map((column) => {
    // A person's key is former when it is wrapped by a former one.
    const own = `EXISTS (SELECT FROM shared.data_keys k WHERE k.tenant_id = $1 AND k.id::text = ${keyIdSql(textSql(column))}
      AND k.wrapped IS NOT NULL AND $3 NOT IN (k.id::text, k.master_key_id))`
    return `(${isEncryptedSql(textSql(column))} AND ${own})`
  })
  if (current) values.push(current.id)
  const wanted = [inClearSql(model), ...(current ? former : [])]
  const list = ['t.id', ...columns.map(({ sql }) => `t.${sql}`)]
  const rows = await send({
    text: `SELECT ${list.join(', ')} FROM ${model.table} t
      WHERE t.tenant_id = $1 AND t.id > $2 AND (${wanted.join(' OR ')}) ORDER BY t.id LIMIT ${batchRows} FOR UPDATE`,
    values,
  })
  if (rows.length === 0) return { rows: 0, last: null }
  const key = current ?? (await dataKeys.ofTenant(send, tenantId))[0]!
  const ids = rows.flatMap((row) => row.slice(1).flatMap((value) => keyOf(value)))
  await dataKeys.load(send, tenantId, ids)
  for (const row of rows) await encryptRow(send, dataKeys, key, model, columns, tenantId, row)
  return { rows: rows.length, last: rows.length < batchRows ? null : String(rows.at(-1)![0]) }
}

/** SQL over table alias t: a value of the row is in clear. As the partial indexes of the tables say it. */
const inClearSql = (model: EntityModel): string =>
  [...model.encrypted.values()]
    .map((column) => `(t.${column.sql} IS NOT NULL AND (${isEncryptedSql(textSql(column))}) IS NOT TRUE)`)
    .join(' OR ')

async function tenantsInClear(client: ClientBase, model: EntityModel): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>({
    text: `SELECT DISTINCT t.tenant_id AS id FROM ${model.table} t WHERE ${inClearSql(model)}`,
  })
  return rows.map(({ id }) => id)
}

const keyOf = (value: unknown): string[] => {
  const text = encryptedTextOf(value)
  return text === null ? [] : [keyIdOf(text)!]
}

async function encryptRow(
  send: SendRows,
  dataKeys: DataKeys,
  tenantKey: DataKey,
  model: EntityModel,
  columns: readonly EncryptedColumn[],
  tenantId: string,
  [rowId, ...stored]: readonly unknown[],
): Promise<void> {
  const id = String(rowId)
  const assignments: string[] = []
  const values: unknown[] = [tenantId, id]
  for (const [place, column] of columns.entries()) {
    const value = stored[place]
    if (value === null || value === undefined) continue
    const text = encryptedTextOf(value)
    const former = text === null ? undefined : dataKeys.known(tenantId, keyIdOf(text)!)
    if (text !== null && former === undefined) throw dataKeys.faultOf(tenantId, keyIdOf(text)!)
    // Destroyed: it stays as it is, and nobody reads it.
    if (text !== null && !former) continue
    const opened = text === null ? null : former!.decrypt(placeOfValue(tenantId, model, column, id), text)
    const plain: unknown = opened === null ? value : column.isJson ? JSON.parse(opened) : opened
    const key = model.isErasable ? await dataKeys.ofSubject(send, tenantId, id, tenantKey) : tenantKey
    const anew = encrypted(key, tenantId, model, column, id, plain)
    assignments.push(`${column.sql} = $${values.push(anew)}${column.isJson ? '::jsonb' : ''}`)
    if (column.index)
      assignments.push(
        `${column.index.sql} = $${values.push(indexOf(tenantKey, model, column, String(plain)))}`,
      )
  }
  if (assignments.length === 0) return
  // Neither the version nor the time of change: the values are the same.
  await send({
    text: `UPDATE ${model.table} t SET ${assignments.join(', ')} WHERE t.tenant_id = $1 AND t.id = $2`,
    values,
  })
}

async function allTenants(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>('SELECT id FROM tenancy.tenants ORDER BY id')
  return rows.map(({ id }) => id)
}

const sendRows =
  (client: ClientBase): SendRows =>
  async ({ text, values }) =>
    (await client.query<unknown[]>({ text, values: values as unknown[], rowMode: 'array' })).rows

async function inTransaction<T>(
  client: ClientBase,
  tenantId: string,
  work: (send: SendRows) => Promise<T>,
): Promise<T> {
  await client.query('BEGIN')
  try {
    await client.query("SELECT set_config('app.tenant_id', $1, true)", [tenantId])
    const result = await work(sendRows(client))
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  }
}
