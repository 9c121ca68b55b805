import type { SubgraphContext } from '../context'
import type { EncryptedColumn, EntityModel, Projection } from '../schema/entity-model'
import { keyIdOf, type DataKey } from './cipher'
import type { DataKeys, SendRows } from './data-keys'

type Row = Record<string, unknown>

/** Names the place of a value: copied to another tenant, table, column or row it does not open. */
export const placeOfValue = (
  tenantId: string,
  { table }: EntityModel,
  { sql }: EncryptedColumn,
  id: string,
): string => `value|${tenantId}|${table.replaceAll('"', '')}|${sql.replaceAll('"', '')}|${id}`

/** Names the column for digests. */
const placeOfColumn = ({ table }: EntityModel, { sql }: EncryptedColumn): string =>
  `${table}.${sql}`.replaceAll('"', '')

/** An encrypted JSON value keeps its kind, so that what the table says of objects and lists holds for it. */
function asJson(value: unknown, text: string): string {
  if (Array.isArray(value)) return JSON.stringify([text])
  return JSON.stringify(typeof value === 'object' ? { encrypted: text } : text)
}

/** The encrypted text of a stored value; null for one in clear. */
export function encryptedTextOf(value: unknown): string | null {
  const text =
    Array.isArray(value) && value.length === 1
      ? (value[0] as unknown)
      : typeof value === 'object' && value !== null && Object.keys(value).length === 1
        ? (value as Row)['encrypted']
        : value
  return typeof text === 'string' && keyIdOf(text) !== null ? text : null
}

/** The value of an equality look-up with a key: what the column's index holds for the text. */
export const indexOf = (key: DataKey, model: EntityModel, column: EncryptedColumn, text: string): string =>
  key.digest(placeOfColumn(model, column), text)

/** The form in which a value is stored. */
export function encrypted(
  key: DataKey,
  tenantId: string,
  model: EntityModel,
  column: EncryptedColumn,
  id: string,
  value: unknown,
): string {
  const plain = column.isJson ? JSON.stringify(value) : String(value)
  const text = key.encrypt(placeOfValue(tenantId, model, column, id), plain)
  return column.isJson ? asJson(value, text) : text
}

/**
 * Replaces the values of encrypted columns that a statement is about to write, and gives their indexes. The tenant's key
 * must be in memory (`mutate` sees to it); a person's own is found or made in the transaction.
 * @param written by property; JSON as text already
 */
export async function encryptWritten(
  { services, binding }: SubgraphContext,
  send: SendRows,
  model: EntityModel,
  id: string,
  written: Map<string, unknown>,
): Promise<void> {
  const columns = [...model.encrypted.values()].filter(({ property }) => written.has(property))
  if (columns.length === 0) return
  const tenantId = binding.tenantId!
  const { dataKeys } = services
  for (const column of columns) {
    const value = written.get(column.property)
    const isGiven = value !== null && value !== undefined
    const [tenantKey] = isGiven ? await dataKeys.ofTenant(send, tenantId) : []
    if (column.index) {
      const index = tenantKey ? indexOf(tenantKey, model, column, String(value)) : null
      written.set(column.index.property, index)
    }
    if (!tenantKey) continue
    const key = model.isErasable ? await dataKeys.ofSubject(send, tenantId, id, tenantKey) : tenantKey
    const plain: unknown = column.isJson ? JSON.parse(String(value)) : value
    written.set(column.property, encrypted(key, tenantId, model, column, id, plain))
  }
}

/**
 * Decrypts the values of rows in place: at once where all keys are in memory, else after one statement for those that
 * are not. A value of a destroyed key is null; one that does not open is an error at its own field.
 */
export function decryptRows<R extends Row>(
  context: Pick<SubgraphContext, 'services' | 'binding' | 'log'>,
  send: SendRows,
  model: EntityModel,
  projection: Projection,
  rows: R[],
): R[] | Promise<R[]> {
  if (!projection.isEncrypted || rows.length === 0) return rows
  const { dataKeys } = context.services
  const tenantId = context.binding.tenantId!
  const missing = new Set<string>()
  const values = new Values(model, projection, rows)
  for (const { text } of values.found) {
    const id = keyIdOf(text)!
    if (dataKeys.known(tenantId, id) === undefined) missing.add(id)
  }
  const decrypt = () => {
    for (const value of values.found) decryptValue(context, dataKeys, tenantId, value)
    return rows
  }
  return missing.size === 0 ? decrypt() : dataKeys.load(send, tenantId, missing).then(decrypt)
}

interface StoredValue {
  model: EntityModel
  column: EncryptedColumn
  row: Row
  text: string
}

/** The encrypted values of rows and of the rows that are joined to them. */
class Values {
  readonly found: StoredValue[] = []

  constructor(model: EntityModel, projection: Projection, rows: readonly Row[]) {
    this.add(model, projection, rows)
  }

  private add(model: EntityModel, { encrypted, joins }: Projection, rows: readonly Row[]): void {
    for (const column of encrypted) {
      for (const row of rows) {
        const text = encryptedTextOf(row[column.property])
        // In clear: written before the column was encrypted.
        if (text !== null) this.found.push({ model, column, row, text })
      }
    }
    for (const { field, model: joined, projection } of joins) {
      if (!projection.isEncrypted) continue
      const related = rows.flatMap((row) => (row[field] ? [row[field] as Row] : []))
      this.add(joined, projection, related)
    }
  }
}

function decryptValue(
  { log }: Pick<SubgraphContext, 'log'>,
  dataKeys: DataKeys,
  tenantId: string,
  { model, column, row, text }: StoredValue,
): void {
  const key = dataKeys.known(tenantId, keyIdOf(text)!)
  const id = String(row['id'])
  try {
    if (key === undefined) throw dataKeys.faultOf(tenantId, keyIdOf(text)!)
    const plain = key && key.decrypt(placeOfValue(tenantId, model, column, id), text)
    row[column.property] = plain !== null && column.isJson ? (JSON.parse(plain) as unknown) : plain
  } catch (error) {
    const place = `${model.name}.${column.property}`
    log.error(
      { err: error, place, id },
      'a stored value does not open: it was changed, or copied from elsewhere',
    )
    row[column.property] = new Error(`${place} of ${id} does not open`)
  }
}
