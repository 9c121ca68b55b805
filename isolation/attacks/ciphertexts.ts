import { createHash } from 'node:crypto'
import { getNamedType, isObjectType, parse } from 'graphql'
import type { Client } from 'pg'
import { keyIdOf } from '../../kernel/encryption/cipher'
import type { SendRows } from '../../kernel/encryption/data-keys'
import { decryptRows, encrypted, encryptedTextOf } from '../../kernel/encryption/encrypted-columns'
import type { EncryptedColumn, EntityModel, Projection } from '../../kernel/schema/entity-model'
import type { Lab } from '../lab'
import { attacker, type AttackedTenant } from '../population'
import type { Row } from '../rows'
import { contextOf } from './references'

/** An encrypted value, and where it belongs. */
interface Stored {
  tenant: AttackedTenant
  column: EncryptedColumn
  id: string
  plain: unknown
  text: string
}

/**
 * Whoever can write to the tables, but has no key, copies encrypted values to where the attacker may read: a victim's into
 * the attacker's row, with and without the victim's data key, one of the attacker's own into another row and another
 * column. None may open. What belongs to its place opens, for the attacker and for the victim.
 */
export async function attackCiphertexts(lab: Lab, victims: readonly AttackedTenant[]): Promise<void> {
  for (const model of lab.models.values()) {
    if (model.encrypted.size === 0) continue
    for (const column of model.encrypted.values()) {
      const places = new Map<string, string[]>()
      for (const tenant of [attacker, ...victims])
        places.set(tenant.id, await placesOf(lab.client, tenant, model, column))
      const before = await snapshot(lab.client, model, [...places.values()].flat())
      try {
        await attackColumn(lab, model, column, victims, places)
      } finally {
        await restore(lab.client, model, before)
      }
    }
  }
}

async function attackColumn(
  lab: Lab,
  model: EntityModel,
  column: EncryptedColumn,
  victims: readonly AttackedTenant[],
  places: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  const name = `${model.name}.${column.property}`
  const [mine, other] = places.get(attacker.id)!
  if (!mine || !other) return
  const place = { tenant: attacker, column, id: mine }
  const open = (id: string) => shownValue(lab, model, column, attacker, id)
  const own = await store(lab, model, { ...place, plain: secretOf(lab, model, column, 'own') })
  if (!isSame(await open(own.id), own.plain)) lab.found('ciphertext', name, 'does not open at its own place')
  const steal = async (what: string, stolen: Stored) => {
    await put(lab.client, model, column, own.id, stolen.text)
    const seen = await open(own.id)
    if (seen !== null) lab.found('ciphertext', name, `opens ${what}: ${JSON.stringify(seen)}`)
  }
  const second = { ...place, id: other, plain: secretOf(lab, model, column, 'of another row') }
  await steal('in another row', await store(lab, model, second))
  for (const beside of model.encrypted.values()) {
    if (beside === column || beside.isJson !== column.isJson) continue
    const stored = await store(lab, model, {
      ...place,
      column: beside,
      plain: secretOf(lab, model, beside, 'beside'),
    })
    await steal(`what belongs to ${beside.property}`, stored)
  }
  for (const victim of victims) {
    const [id] = places.get(victim.id)!
    if (!id) throw new Error(`${victim.slug} has no row of ${model.name}: nothing can be stolen there`)
    const plain = secretOf(lab, model, column, victim.slug)
    const theirs = await store(lab, model, { tenant: victim, column, id, plain })
    if (isSame(await shownValue(lab, model, column, victim, id), plain))
      lab.coverage.shown('encrypted column', name)
    await steal(`of ${victim.slug}`, theirs)
    const keyId = keyIdOf(encryptedTextOf(column.isJson ? JSON.parse(theirs.text) : theirs.text)!)
    await copyKey(lab.client, keyId!, attacker.id)
    await steal(`of ${victim.slug}, beside its data key`, theirs)
    await lab.client.query('DELETE FROM shared.data_keys WHERE tenant_id = $1 AND id = $2', [
      attacker.id,
      keyId,
    ])
  }
  lab.coverage.attacked('encrypted column', name)
}

/** Rows of a tenant to write to, first those that have such a value: not every row of a table may. */
async function placesOf(
  client: Client,
  tenant: AttackedTenant,
  { table, softDeleted }: EntityModel,
  { sql }: EncryptedColumn,
): Promise<string[]> {
  const text = `SELECT id FROM ${table} WHERE tenant_id = $1 ${softDeleted ? 'AND deleted_at IS NULL' : ''}
    ORDER BY ${sql} IS NULL, id DESC LIMIT 2`
  const { rows } = await client.query<{ id: string }>(text, [tenant.id])
  return rows.map(({ id }) => id)
}

/** A value that is met nowhere else, and that the field of the column can show. */
function secretOf(
  lab: Lab,
  model: EntityModel,
  { property, isJson }: EncryptedColumn,
  whose: string,
): unknown {
  const type = lab.api.getType(model.name)
  const field = isObjectType(type) ? type.getFields()[property] : undefined
  const text = `${property} ${whose}`
  if (field && getNamedType(field.type).name === 'Date')
    return new Date(createHash('sha256').update(text).digest().readUInt32BE() * 1_000)
      .toISOString()
      .slice(0, 10)
  return isJson ? { secret: text } : text
}
const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)

/** Encrypts a value with the product's own keys, and writes it where it belongs. */
async function store(lab: Lab, model: EntityModel, value: Omit<Stored, 'text'>): Promise<Stored> {
  const { tenant, column, id, plain } = value
  const { dataKeys } = lab.server.services
  const send = sendTo(lab.client)
  const [tenantKey] = await dataKeys.ofTenant(send, tenant.id)
  const key = model.isErasable ? await dataKeys.ofSubject(send, tenant.id, id, tenantKey!) : tenantKey!
  const text = encrypted(key, tenant.id, model, column, id, plain)
  await put(lab.client, model, column, id, text)
  return { ...value, text }
}

const sendTo =
  (client: Client): SendRows =>
  async ({ text, values }) =>
    (await client.query<unknown[]>({ text, values: values as unknown[], rowMode: 'array' })).rows

async function put(
  client: Client,
  { table }: EntityModel,
  { sql, isJson }: EncryptedColumn,
  id: string,
  text: string,
): Promise<void> {
  const change = `UPDATE ${table} SET ${sql} = $2${isJson ? '::jsonb' : ''} WHERE id = $1`
  await client.query(change, [id, text])
}

/** The victim's key among the attacker's, as it is wrapped, with the key that wraps it. */
async function copyKey(client: Client, id: string, tenantId: string): Promise<void> {
  await client.query(
    `INSERT INTO shared.data_keys (tenant_id, id, created_at, subject_id, generation, master_key_id, wrapped)
     SELECT $2, id, created_at, id, generation, master_key_id, wrapped FROM shared.data_keys WHERE id = $1`,
    [id, tenantId],
  )
}

/** Returns what the product shows of a column; null for what does not open. */
async function shownValue(
  lab: Lab,
  model: EntityModel,
  column: EncryptedColumn,
  tenant: AttackedTenant,
  id: string,
): Promise<unknown> {
  const { property } = column
  const key = lab.surface.keys.find(({ type, subgraph }) => {
    const object = schemaOf(lab, subgraph).getType(type)
    return type === model.name && isObjectType(object) && object.getFields()[property] !== undefined
  })
  const context = await contextOf(lab, tenant)
  if (!key) return opened(lab, model, column, tenant, id)
  const document = parse(
    `query ($r: [_Any!]!) { _entities(representations: $r) { ... on ${model.name} { ${property} } } }`,
  )
  const running = [...lab.server.subgraphs.values()].find(({ name }) => name === key.subgraph)!
  const variables = { r: [{ __typename: model.name, id }] }
  const { data } = await running.execute({ document, variables, context })
  const [entity] = (data?.['_entities'] ?? []) as (Row | null)[]
  return entity?.[property] ?? null
}

const schemaOf = (lab: Lab, subgraph: string) =>
  [...lab.server.subgraphs.values()].find(({ name }) => name === subgraph)!.schema

/** As the kernel decrypts what no field shows. */
async function opened(
  lab: Lab,
  model: EntityModel,
  column: EncryptedColumn,
  tenant: AttackedTenant,
  id: string,
): Promise<unknown> {
  const read = `SELECT ${column.sql} AS value FROM ${model.table} WHERE id = $1`
  const { rows } = await lab.client.query<{ value: unknown }>(read, [id])
  const projection = { encrypted: [column], joins: [], isEncrypted: true } as unknown as Projection
  const { services } = lab.server
  const binding = { tenantId: tenant.id }
  const row: Record<string, unknown> = { id, [column.property]: rows[0]!.value }
  try {
    await decryptRows({ services, binding, log: services.log }, sendTo(lab.client), model, projection, [row])
  } catch {
    // A key that is nobody's is refused with the whole request.
    return null
  }
  const value = row[column.property]
  return value instanceof Error ? null : value
}

/** The stored values of the rows that the attack writes to. */
async function snapshot(
  client: Client,
  model: EntityModel,
  ids: readonly string[],
): Promise<{ id: string; values: unknown[] }[]> {
  const columns = [...model.encrypted.values()].map(({ sql }) => sql).join(', ')
  const read = `SELECT id, ${columns} FROM ${model.table} WHERE id = ANY ($1)`
  const { rows } = await client.query<unknown[]>({ text: read, values: [ids], rowMode: 'array' })
  return rows.map(([id, ...values]) => ({ id: String(id), values }))
}

/** Only the values: indexes for equality were never changed. */
async function restore(
  client: Client,
  model: EntityModel,
  before: Awaited<ReturnType<typeof snapshot>>,
): Promise<void> {
  const columns = [...model.encrypted.values()]
  const assignments = columns.map(
    ({ sql, isJson }, place) => `${sql} = $${place + 2}${isJson ? '::jsonb' : ''}`,
  )
  const change = `UPDATE ${model.table} SET ${assignments.join(', ')} WHERE id = $1`
  for (const { id, values } of before) {
    const given = values.map((value, place) =>
      value !== null && columns[place]!.isJson ? JSON.stringify(value) : value,
    )
    await client.query(change, [id, ...given])
  }
}
