import { randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Statement } from '../connection/tenant'
import { ApiError } from '../errors'
import { uuidv7 } from '../id'
import { prepared } from '../statement'
import { DataKey, keyBytes } from './cipher'
import type { KeyProvider, WrappedKey } from './key-provider'

/** Sends a statement that is bound to the tenant, alone or in a transaction; rows as arrays. */
export type SendRows = (statement: Statement) => Promise<unknown[][]>

/** Stands for the tenant as a whole where a key is nobody's own. */
export const wholeTenant = '00000000-0000-0000-0000-000000000000'

/** Bounds of the keys in memory, and for how long they stay: what was destroyed elsewhere is gone here after that. */
const bounds = { keys: 10_000, ttlMs: 300_000 }
/** Milliseconds between a key's leaving the memory and its being overwritten: longer than any transaction. */
const graceMs = 120_000
/** Milliseconds for which this process may go on with a key after another one became current. */
const currentMs = 60_000

const select = 'SELECT id, subject_id, master_key_id, wrapped, generation FROM shared.data_keys'

const insert = `INSERT INTO shared.data_keys (tenant_id, id, subject_id, generation, master_key_id, wrapped)
 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, subject_id, generation) DO NOTHING`

/** Names the place of a key: it is unwrapped for no other tenant, subject or id. */
const placeOf = (tenantId: string, subjectId: string, id: string) => `data key|${tenantId}|${subjectId}|${id}`

/**
 * The data keys of all tenants: one per tenant, wrapped by a master key, and one per erasable person, wrapped by the
 * tenant's. Kept in memory, bounded; a key that leaves it is overwritten.
 */
export class DataKeys {
  private readonly keys = new LRUCache<string, DataKey>({
    max: bounds.keys,
    ttl: bounds.ttlMs,
    // Whoever took it a moment ago may still work with it.
    dispose: (key) => setTimeout(() => key.letGo(), graceMs).unref(),
  })
  /** Keys that did not open, and why. */
  private readonly faults = new LRUCache<string, Error>({ max: 1_000 })
  /** Ids of destroyed keys: nothing is read with them again. */
  private readonly destroyed = new LRUCache<string, true>({ max: bounds.keys })
  /** Ids of the tenants' own keys, the newest first. */
  private readonly generations = new LRUCache<string, readonly string[]>({ max: 2_000, ttl: currentMs })

  constructor(readonly provider: KeyProvider) {}

  /** A key that is in memory, null for one that was destroyed, undefined for one that must be loaded first. */
  known(tenantId: string, id: string): DataKey | null | undefined {
    const place = `${tenantId} ${id}`
    return this.keys.get(place) ?? (this.destroyed.has(place) ? null : undefined)
  }

  /**
   * Brings keys into memory: one statement for all that are not, one more for those that these are wrapped by.
   * A key that the tenant does not have, or that does not open, is unknown afterwards: {@link faultOf} says why.
   * @throws ApiError when the key service does not answer
   */
  async load(send: SendRows, tenantId: string, ids: Iterable<string>): Promise<void> {
    const wanted = [...new Set(ids)].filter((id) => this.known(tenantId, id) === undefined)
    if (wanted.length === 0) return
    const rows = await send(prepared(`${select} WHERE tenant_id = $1 AND id = ANY ($2)`, [tenantId, wanted]))
    const parents = rows.flatMap(([, subjectId, masterKeyId]) =>
      subjectId === wholeTenant ? [] : [String(masterKeyId)],
    )
    await this.load(send, tenantId, parents)
    for (const row of rows) {
      try {
        await this.keep(tenantId, row)
      } catch (error) {
        if (error instanceof ApiError) throw error
        this.faults.set(`${tenantId} ${String(row[0])}`, error as Error)
      }
    }
  }

  /** The reason why a key is unknown after {@link load}. */
  faultOf(tenantId: string, id: string): Error {
    return (
      this.faults.get(`${tenantId} ${id}`) ??
      new Error(`The data key ${id} is not there: restore shared.data_keys`)
    )
  }

  /**
   * The tenant's own keys, the newest first.
   * @throws Error when it has none: the owner of the database makes it with the tenant, and nobody else may
   */
  async ofTenant(send: SendRows, tenantId: string): Promise<readonly DataKey[]> {
    const ids = this.generations.get(tenantId)
    const known = ids?.map((id) => this.known(tenantId, id))
    if (known && known.every((key) => key instanceof DataKey)) return known
    const rows = await this.selectGenerations(send, tenantId)
    if (rows.length === 0)
      throw new Error(`The tenant ${tenantId} has no data key: npm run keys -- encrypt makes it`)
    for (const row of rows) if (!this.known(tenantId, String(row[0]))) await this.keep(tenantId, row)
    const found = rows.map(([id]) => String(id))
    this.generations.set(tenantId, found)
    return found.map((id) => this.known(tenantId, id)!)
  }

  /** Returns a new key for a tenant, to be stored as the first one. */
  async newTenantKey(tenantId: string): Promise<WrappedKey & { id: string }> {
    const id = uuidv7(Date.now())
    const bytes = randomBytes(keyBytes)
    const wrapped = await this.provider.wrap(bytes, placeOf(tenantId, wholeTenant, id))
    bytes.fill(0)
    return { id, ...wrapped }
  }

  /** Adds a generation of the tenant's key, the first one too, which is the current one from then on. Needs the owner's rights. */
  async addGeneration(send: SendRows, tenantId: string): Promise<void> {
    const rows = await send(
      prepared(
        'SELECT coalesce(max(generation), 0) FROM shared.data_keys WHERE tenant_id = $1 AND subject_id = $2',
        [tenantId, wholeTenant],
      ),
    )
    const { id, masterKeyId, wrapped } = await this.newTenantKey(tenantId)
    const generation = Number(rows[0]![0]) + 1
    await send(prepared(insert, [tenantId, id, wholeTenant, generation, masterKeyId, wrapped]))
    this.generations.delete(tenantId)
  }

  /**
   * A person's key. One is made in the transaction of `send` where there is none, or where the last one is wrapped by
   * another than the tenant's current key. Which key is the newest is asked each time: one that was made in a transaction
   * that was undone must not be used.
   */
  async ofSubject(send: SendRows, tenantId: string, subjectId: string, tenantKey: DataKey): Promise<DataKey> {
    const [row] = await send(
      prepared(`${select} WHERE tenant_id = $1 AND subject_id = $2 ORDER BY generation DESC LIMIT 1`, [
        tenantId,
        subjectId,
      ]),
    )
    if (row && row[3] !== null && row[2] === tenantKey.id) {
      await this.keep(tenantId, row)
      return this.known(tenantId, String(row[0]))!
    }
    const made = uuidv7(Date.now())
    const bytes = randomBytes(keyBytes)
    const wrapped = tenantKey.wrap(placeOf(tenantId, subjectId, made), bytes)
    const generation = Number(row?.[4] ?? 0) + 1
    const [added] = await send(
      prepared(`${insert} RETURNING id`, [tenantId, made, subjectId, generation, tenantKey.id, wrapped]),
    )
    // Somebody else was first: theirs is used.
    return added ? new DataKey(made, bytes) : this.ofSubject(send, tenantId, subjectId, tenantKey)
  }

  /** Overwrites all keys in memory. */
  close(): void {
    for (const key of this.keys.values()) key.letGo()
    this.keys.clear()
  }

  private selectGenerations(send: SendRows, tenantId: string): Promise<unknown[][]> {
    return send(
      prepared(`${select} WHERE tenant_id = $1 AND subject_id = $2 ORDER BY generation DESC`, [
        tenantId,
        wholeTenant,
      ]),
    )
  }

  /** Unwraps a key and keeps it; of a destroyed one, that it was. */
  private async keep(
    tenantId: string,
    [id, subjectId, masterKeyId, wrapped]: readonly unknown[],
  ): Promise<void> {
    const place = `${tenantId} ${String(id)}`
    if (wrapped === null) return void this.destroyed.set(place, true)
    const stored = { masterKeyId: String(masterKeyId), wrapped: String(wrapped) }
    const keyPlace = placeOf(tenantId, String(subjectId), String(id))
    if (subjectId === wholeTenant) {
      const bytes = await this.provider.unwrap(stored, keyPlace)
      return void this.keys.set(place, new DataKey(String(id), bytes))
    }
    const parent = this.known(tenantId, stored.masterKeyId)
    if (parent) this.keys.set(place, new DataKey(String(id), parent.unwrap(keyPlace, stored.wrapped)))
    // Destroying the tenant's key destroys those of its people.
    else if (parent === null) this.destroyed.set(place, true)
    else throw new Error(`The data key ${String(id)} is wrapped by another that is not in memory`)
  }
}

/** Rewraps a tenant's keys with the provider's current master key: the keys stay the same, and so do all values. */
export async function rewrapKeys(send: SendRows, provider: KeyProvider, tenantId: string): Promise<number> {
  const current = await provider.currentKeyId()
  const rows = await send(
    prepared(
      `${select} WHERE tenant_id = $1 AND subject_id = $2 AND master_key_id <> $3 AND wrapped IS NOT NULL`,
      [tenantId, wholeTenant, current],
    ),
  )
  for (const [id, subjectId, masterKeyId, wrapped] of rows.map((row) => row.map(String))) {
    const place = placeOf(tenantId, subjectId!, id!)
    const bytes = await provider.unwrap({ masterKeyId: masterKeyId!, wrapped: wrapped! }, place)
    const anew = await provider.wrap(bytes, place)
    bytes.fill(0)
    await send(
      prepared(
        'UPDATE shared.data_keys SET master_key_id = $3, wrapped = $4 WHERE tenant_id = $1 AND id = $2',
        [tenantId, id, anew.masterKeyId, anew.wrapped],
      ),
    )
  }
  return rows.length
}
