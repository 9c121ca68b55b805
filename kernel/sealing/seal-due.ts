import type { BlobStore } from '../blobs/blob-store'
import type { Clock } from '../clock'
import type { Database, Transaction } from '../connection/database'
import type { Logger } from '../process/log'
import { prepared } from '../statement'
import { entryColumns, entryOf, genesis, linkText, sha256 } from './chain'
import { checkpointKey, signed, type AuditKeys, type Checkpoint } from './statements'

export interface Sealing {
  /** Of the role that may give positions: compliance. */
  database: Database
  blobs: BlobStore
  keys: AuditKeys
  clock: Clock
  log: Logger
}

/** Says how much a run sealed. */
export interface SealCounts {
  entries: number
  checkpoints: number
}

const batch = 1000
/** Of one tenant in one run, so that a process that stops waits for no more. */
const mostBatches = 20
const mostTenants = 200
/** A checkpoint is signed when so much time has passed since the last: until then nobody vouches for the newest entries. */
export const checkpointEveryMs = 10 * 60_000

const tenantsToSeal = 'SELECT shared.tenants_to_seal($1, $2)'
const beginChain =
  'INSERT INTO shared.audit_chains (tenant_id, position, hash) VALUES ($1, 0, $2) ON CONFLICT (tenant_id) DO NOTHING'
const lockChain = `SELECT position, hash, signed_position, signed_hash, signed_at FROM shared.audit_chains
  WHERE tenant_id = $1 FOR UPDATE`
const unsealed = `SELECT ${entryColumns} FROM shared.audit_logs
  WHERE tenant_id = $1 AND position IS NULL ORDER BY occurred_at, id LIMIT $2`
const giveHashes = `UPDATE shared.audit_logs AS l SET position = s.position, hash = s.hash
    FROM unnest($2::timestamptz[], $3::uuid[], $4::bigint[], $5::text[]) AS s (occurred_at, id, position, hash)
   WHERE l.tenant_id = $1 AND l.occurred_at = s.occurred_at AND l.id = s.id AND l.position IS NULL
     AND l.occurred_at BETWEEN $6 AND $7`
const moveChain = 'UPDATE shared.audit_chains SET position = $2, hash = $3 WHERE tenant_id = $1'
const moveSigned = `UPDATE shared.audit_chains SET signed_position = $2, signed_hash = $3, signed_at = $4
  WHERE tenant_id = $1`

interface Chain {
  position: number
  hash: string
  signedPosition: number
  signedHash: string | null
  signedAt: string | null
}

/**
 * Gives positions and hashes to entries that have none, and signs where chains end. Entries are taken in the order of
 * their time among those that are committed; one that commits later comes later. Sealers of one tenant wait for each other
 * at the row of its chain; nobody who writes entries does.
 * @param tenantIds default: those for whom there is something to do
 * @param options.sign whether to sign what was not signed yet, however short ago the last time was
 */
export async function sealDue(
  sealing: Sealing,
  tenantIds?: readonly string[],
  { sign = false } = {},
): Promise<SealCounts> {
  const { database, clock } = sealing
  const before = new Date(clock.now().getTime() - (sign ? 0 : checkpointEveryMs)).toISOString()
  const found =
    tenantIds ??
    (await database.rows({ tenantId: null }, prepared(tenantsToSeal, [before, mostTenants]))).map(([id]) =>
      String(id),
    )
  const counts: SealCounts = { entries: 0, checkpoints: 0 }
  for (const tenantId of found) {
    for (let batches = 0; batches < mostBatches; batches++) {
      const given = await database.transaction({ tenantId }, (tx) => sealBatch(tx, tenantId))
      counts.entries += given
      if (given < batch) break
    }
    if (await signEnd(sealing, tenantId, sign)) counts.checkpoints++
  }
  return counts
}

async function sealBatch(tx: Transaction, tenantId: string): Promise<number> {
  const chain = (await chainOf(tx, tenantId)) ?? (await newChain(tx, tenantId))
  const rows = await tx.rows(prepared(unsealed, [tenantId, batch]))
  if (rows.length === 0) return 0
  let { position, hash } = chain
  const links = rows.map((row) => {
    const entry = entryOf(tenantId, row)
    hash = sha256(linkText(hash, ++position, entry))
    return { at: entry.occurredAt, id: entry.id, position, hash }
  })
  const given = await tx.run(
    prepared(giveHashes, [
      tenantId,
      links.map(({ at }) => at),
      links.map(({ id }) => id),
      links.map((link) => link.position),
      links.map((link) => link.hash),
      links[0]!.at,
      links.at(-1)!.at,
    ]),
  )
  if (given !== links.length) throw new Error(`${links.length} entries were to be sealed, and ${given} were`)
  await tx.run(prepared(moveChain, [tenantId, position, hash]))
  return given
}

/** Signs where the chain ends, if it went on since the last time and that is long enough ago. */
async function signEnd({ database, blobs, keys, clock, log }: Sealing, tenantId: string, now: boolean) {
  return database.transaction({ tenantId }, async (tx) => {
    const chain = await chainOf(tx, tenantId)
    const at = clock.now()
    if (!chain || chain.position === chain.signedPosition) return false
    if (!now && chain.signedAt && at.getTime() - Date.parse(chain.signedAt) < checkpointEveryMs) return false
    const { position, hash } = chain
    const line = signed<Checkpoint>(keys, {
      format: 'tenantgraph audit checkpoint 1',
      ...{ tenantId, position, hash, previous: chain.signedHash, at: at.toISOString() },
    })
    // First the file: one that the table does not know yet is written again, one that is missing would be a fault.
    await blobs
      .of(tenantId)
      .put(checkpointKey(position), [Buffer.from(line)], { contentType: 'application/json' })
    await tx.run(prepared(moveSigned, [tenantId, position, sha256(line), at.toISOString()]))
    log.debug({ tenantId, position }, 'a checkpoint of the audit trail was signed')
    return true
  })
}

async function newChain(tx: Transaction, tenantId: string): Promise<Chain> {
  await tx.run(prepared(beginChain, [tenantId, genesis]))
  return (await chainOf(tx, tenantId))!
}

async function chainOf(tx: Transaction, tenantId: string): Promise<Chain | null> {
  const [row] = await tx.rows(prepared(lockChain, [tenantId]))
  if (!row) return null
  const [position, hash, signedPosition, signedHash, signedAt] = row as [
    string,
    string,
    string,
    string | null,
    string | null,
  ]
  return { position: Number(position), hash, signedPosition: Number(signedPosition), signedHash, signedAt }
}
