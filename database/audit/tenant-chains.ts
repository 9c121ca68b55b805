import type { Client } from 'pg'
import type { BlobStore } from '../../kernel/blobs/blob-store'
import { entryColumns, entryOf, sha256 } from '../../kernel/sealing/chain'
import {
  checkpointFolder,
  checkpointKey,
  cutFolder,
  statementIn,
  type AuditKeys,
  type Checkpoint,
  type Cut,
} from '../../kernel/sealing/statements'
import type { ChainFault, ChainStatements, SealedEntry } from './verify-chain'

export interface ChainTenant {
  id: string
  slug: string
}

/** Tenants by their slug; all when none is named. */
export async function chainTenants(client: Client, slug?: string): Promise<ChainTenant[]> {
  const { rows } = await client.query<ChainTenant>(
    'SELECT id, slug FROM tenancy.tenants WHERE $1::text IS NULL OR slug = $1 ORDER BY slug',
    [slug ?? null],
  )
  if (slug !== undefined && rows.length === 0) throw new Error(`There is no tenant ${slug}.`)
  return rows
}

/**
 * The sealed entries of a tenant in the order of their positions, a few thousand at a time.
 * @param client as the owner, in a transaction that sees one moment
 */
export async function* sealedEntries(
  client: Client,
  tenantId: string,
): AsyncGenerator<SealedEntry, void, undefined> {
  // A cursor is planned once and reads in one pass: pages would be sorted anew each while statistics are missing.
  await client.query({
    text: `DECLARE sealed_entries NO SCROLL CURSOR FOR SELECT ${entryColumns}, position, hash FROM shared.audit_logs
       WHERE tenant_id = $1 AND position >= 0 ORDER BY position, id`,
    values: [tenantId],
  })
  try {
    for (;;) {
      const { rows } = await client.query<unknown[]>({
        text: 'FETCH 5000 FROM sealed_entries',
        rowMode: 'array',
      })
      for (const row of rows) {
        const [position, hash] = row.slice(-2) as [string, string]
        yield { position: Number(position), hash, entry: entryOf(tenantId, row) }
      }
      if (rows.length === 0) return
    }
  } finally {
    // A transaction that failed has closed it, and tells why by itself.
    await client.query('CLOSE sealed_entries').catch(() => undefined)
  }
}

/** The end of a tenant's chain as the table tells it. */
export interface ChainState {
  position: number
  hash: string | null
  /** The position that was signed last, and the SHA-256 of that checkpoint as it is kept; 0 and null when never. */
  signedPosition: number
  signedHash: string | null
  /** Counts entries that have no position yet. */
  unsealed: number
}

/** Reads where the table says that a tenant's chain ends, and how far it was signed. */
export async function chainState(client: Client, tenantId: string): Promise<ChainState> {
  const { rows } = await client.query<Record<keyof ChainState, string | null>>(
    `SELECT c.position, c.hash, c.signed_position AS "signedPosition", c.signed_hash AS "signedHash",
       (SELECT count(*) FROM shared.audit_logs l WHERE l.tenant_id = t.id AND l.position IS NULL) AS unsealed
       FROM tenancy.tenants t LEFT JOIN shared.audit_chains c ON c.tenant_id = t.id WHERE t.id = $1`,
    [tenantId],
  )
  const { position, hash, signedPosition, signedHash, unsealed } = rows[0]!
  return {
    ...{ position: Number(position ?? 0), hash, unsealed: Number(unsealed) },
    ...{ signedPosition: Number(signedPosition ?? 0), signedHash },
  }
}

/**
 * Holds what the table tells of the last checkpoint against its file, which was written first: the last ones that are missing are
 * told by no later one. Of a chain that was never signed nobody says what it was.
 */
export async function lastCheckpointFault(
  blobs: BlobStore,
  tenantId: string,
  { position, signedPosition, signedHash }: ChainState,
): Promise<ChainFault | null> {
  if (position === 0) return null
  if (signedHash === null)
    return { kind: 'CHECKPOINT', position, message: `nothing was signed, and the chain ends at ${position}` }
  const file = await blobs.of(tenantId).get(checkpointKey(signedPosition))
  if (file && sha256(await textOf(file.body)) === signedHash) return null
  const message = `the checkpoint at ${signedPosition}, which was signed last, is ${file ? 'another' : 'missing'}`
  return { kind: 'CHECKPOINT', position: signedPosition, message }
}

/** A signed statement with the line it is kept as. */
export interface KeptStatements extends ChainStatements {
  cutLines: readonly string[]
  /** Statements that do not count. */
  faults: readonly ChainFault[]
}

/** The signed statements about a tenant's chain, as they are kept outside of the tables. */
export async function keptStatements(
  blobs: BlobStore,
  keys: Pick<AuditKeys, 'publicKeys'>,
  tenantId: string,
): Promise<KeptStatements> {
  const checkpoints: { line: string; checkpoint: Checkpoint }[] = []
  const cuts: Cut[] = []
  const cutLines: string[] = []
  const faults: ChainFault[] = []
  const files = blobs.of(tenantId)
  for (const folder of [checkpointFolder, cutFolder]) {
    for await (const key of files.list(folder)) {
      try {
        const line = await textOf((await files.get(key))!.body)
        const statement = statementIn(keys, line)
        if (statement.tenantId !== tenantId) throw new Error('it is about another tenant')
        if (statement.format === 'tenantgraph audit checkpoint 1' && folder === checkpointFolder)
          checkpoints.push({ line, checkpoint: statement })
        else if (statement.format === 'tenantgraph audit cut 1' && folder === cutFolder) {
          cuts.push(statement)
          cutLines.push(line)
        } else throw new Error('it is of another kind than its place says')
      } catch (error) {
        const position = Number(/(\d+)\.json$/.exec(key)?.[1] ?? 0)
        const why = error instanceof Error ? error.message : String(error)
        faults.push({ kind: 'STATEMENT', position, message: `${key} does not count: ${why}` })
      }
    }
  }
  checkpoints.sort((a, b) => a.checkpoint.position - b.checkpoint.position)
  return { checkpoints, cuts, cutLines, faults }
}

async function textOf(body: AsyncIterable<unknown>): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of body) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}
