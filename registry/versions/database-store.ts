import type { Database } from '../../kernel/connection/database'
import { violates } from '../../kernel/writing/violation-names'
import { Fault } from '../fault'
import { assertVariant } from './folder-store'
import { contentHash, type RegistryStore, type Version } from './store'
import type { ClientUsage, OperationUsage, Usage } from '../usage/usage'

/** Versions and usage belong to no tenant. */
const nobody = { tenantId: null }

/** Versions in PostgreSQL, as the gateway's role, which may add and read them and nothing else. */
export function databaseStore(database: Database): RegistryStore {
  return {
    label: 'the database',
    history: async (variant) => {
      const rows = await database.rows(nobody, {
        name: 'registry history',
        text: 'SELECT entry FROM gateway.schema_versions WHERE variant = $1 ORDER BY version',
        values: [variant],
      })
      return rows.map(([entry]) => entry as Version)
    },
    variants: async () => {
      const rows = await database.rows(nobody, {
        text: 'SELECT DISTINCT variant FROM gateway.schema_versions ORDER BY 1',
      })
      return rows.map(([variant]) => String(variant))
    },
    supergraph: async (hash) => {
      const rows = await database.rows(nobody, {
        name: 'registry supergraph',
        text: 'SELECT sdl FROM gateway.supergraphs WHERE hash = $1',
        values: [hash],
      })
      const sdl = rows[0]?.[0]
      return typeof sdl === 'string' ? sdl : null
    },
    append: async (version, supergraph) => {
      try {
        await database.transaction(nobody, async (tx) => {
          await tx.run({
            text: 'INSERT INTO gateway.supergraphs (hash, sdl) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING',
            values: [contentHash(supergraph), supergraph],
          })
          await tx.run({
            text: 'INSERT INTO gateway.schema_versions (variant, version, supergraph, published_at, entry) VALUES ($1, $2, $3, $4, $5)',
            values: [
              assertVariant(version.variant),
              version.version,
              version.supergraph,
              version.publishedAt,
              JSON.stringify(version),
            ],
          })
        })
      } catch (error) {
        if (!violates(error, 'schema_versions_pkey')) throw error
        throw new Fault(
          `Version ${version.version} of ${version.variant} was published meanwhile: check again and publish the next one`,
        )
      }
    },
    close: () => database.close(),
  }
}

/** Returns what the gateways recorded. @param since first day that counts, `YYYY-MM-DD` */
export async function recordedUsage(database: Database, since: string): Promise<Usage> {
  const [[began], rows, tenantRows] = await Promise.all([
    database
      .rows(nobody, { text: 'SELECT min(day) FROM gateway.operation_days' })
      .then(([row]) => row ?? [null]),
    database.rows(nobody, {
      text: `SELECT o.hash, o.name, o.document, o.coordinates, d.client, d.client_version, sum(d.requests)::bigint, max(d.last_seen)
FROM gateway.operation_days d JOIN gateway.operations o ON o.hash = d.hash
WHERE d.day >= $1 GROUP BY o.hash, d.client, d.client_version ORDER BY o.hash, d.client, d.client_version`,
      values: [since],
    }),
    database.rows(nobody, {
      text: 'SELECT hash, client, client_version, tenants FROM gateway.operation_tenant_counts($1)',
      values: [since],
    }),
  ])
  const tenants = new Map(
    tenantRows.map(([hash, client, version, count]) => [
      JSON.stringify([hash, client, version]),
      Number(count),
    ]),
  )
  const operations = new Map<string, OperationUsage>()
  for (const [hash, name, document, coordinates, client, version, requests, lastSeen] of rows as [
    string,
    string,
    string,
    string[],
    string,
    string,
    string,
    string,
  ][]) {
    const operation = operations.get(hash) ?? {
      hash,
      name,
      document,
      coordinates,
      clients: [] as ClientUsage[],
    }
    operation.clients.push({
      client,
      version,
      requests: Number(requests),
      tenants: tenants.get(JSON.stringify([hash, client, version])) ?? 0,
      lastSeen,
    })
    operations.set(hash, operation)
  }
  // The first day began somewhere in its middle. Without any record nothing is known about any day.
  const from = typeof began === 'string' ? dayAfter(began) : '9999-12-31'
  return { from, operations: [...operations.values()] }
}

function dayAfter(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10)
}
