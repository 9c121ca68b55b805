import { Client } from 'pg'
import type { BlobStore } from '../../kernel/blobs/blob-store'
import type { AuditKeys } from '../../kernel/sealing/statements'
import { verifyChain, type ChainFault, type ChainReport } from './verify-chain'
import {
  chainState,
  chainTenants,
  keptStatements,
  lastCheckpointFault,
  sealedEntries,
  type ChainTenant,
} from './tenant-chains'

export interface TenantReport extends ChainReport, ChainTenant {
  /** Entries without a position: they wait for the next sealing. */
  unsealed: number
}

export interface VerifyOptions {
  /** As the owner of the tables, whose policy shows every row. */
  migratorUrl: string
  blobs: BlobStore
  keys: Pick<AuditKeys, 'publicKeys'>
  /** One tenant; all by default. */
  slug?: string
}

/**
 * Verifies the chains of tenants, each as it stands at one moment, against what was signed.
 * @param progress told each tenant when it was verified
 */
export async function verifyTenants(
  { migratorUrl, blobs, keys, slug }: VerifyOptions,
  progress: (report: TenantReport) => void = () => undefined,
): Promise<TenantReport[]> {
  const client = await readingClient(migratorUrl)
  try {
    const reports: TenantReport[] = []
    for (const tenant of await chainTenants(client, slug)) {
      const report = await verifyTenant(client, tenant, blobs, keys)
      progress(report)
      reports.push(report)
    }
    return reports
  } finally {
    await client.end()
  }
}

/** A connection for long reading as the owner. */
export async function readingClient(migratorUrl: string): Promise<Client> {
  const client = new Client({ connectionString: migratorUrl, application_name: 'tenantgraph audit' })
  // A connection that breaks fails the statement under way; without a listener it would end the process.
  client.on('error', () => undefined)
  await client.connect()
  await client.query('SET statement_timeout = 0')
  await client.query('SET idle_in_transaction_session_timeout = 0')
  return client
}

/** Verifies one tenant's chain. */
export async function verifyTenant(
  client: Client,
  tenant: ChainTenant,
  blobs: BlobStore,
  keys: Pick<AuditKeys, 'publicKeys'>,
): Promise<TenantReport> {
  // First what was signed, then the moment: whatever was signed by then must be there.
  const kept = await keptStatements(blobs, keys, tenant.id)
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
  try {
    const state = await chainState(client, tenant.id)
    const { position, unsealed } = state
    const report = await verifyChain(sealedEntries(client, tenant.id), kept)
    const faults: ChainFault[] = [...report.faults, ...kept.faults]
    if (report.end !== position && !faults.some(({ kind }) => kind === 'CHECKPOINT'))
      faults.push({
        kind: 'MISSING',
        position: Math.min(report.end, position) + 1,
        message: `the table of chains says that this one ends at ${position}, and it ends at ${report.end}`,
      })
    const lastFault = await lastCheckpointFault(blobs, tenant.id, state)
    if (lastFault) faults.push(lastFault)
    return { ...tenant, ...report, unsealed, faults }
  } finally {
    await client.query('ROLLBACK')
  }
}
