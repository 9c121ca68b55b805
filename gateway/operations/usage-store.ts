import type { Database } from '../../kernel/connection/database'
import { insertStatements } from '../../kernel/statement'
import type { SeenOperation, UsageStore } from './usage'

/** Keeps usage in PostgreSQL, as the gateway's role: counts by day, and which tenants sent what. */
export function databaseUsageStore(database: Database): UsageStore {
  return {
    async write(seen) {
      await database.transaction({ tenantId: null }, async (tx) => {
        await tx.run({
          name: 'usage operations',
          text: operations,
          values: [JSON.stringify(operationRows(seen))],
        })
        await tx.run({ name: 'usage days', text: days, values: [JSON.stringify(dayRows(seen))] })
      })
      // Each under its own tenant, as every row of a tenant is.
      for (const [tenantId, rows] of byTenant(seen)) {
        for (const statement of insertStatements(tenants, rows, { after: 'ON CONFLICT DO NOTHING' }))
          await database.rows({ tenantId }, statement)
      }
    },
  }
}

const operations = `INSERT INTO gateway.operations (hash, name, document, coordinates)
SELECT hash, name, document, ARRAY(SELECT jsonb_array_elements_text(coordinates))
FROM jsonb_to_recordset($1::jsonb) AS seen (hash text, name text, document text, coordinates jsonb)
ORDER BY hash
ON CONFLICT (hash) DO UPDATE
SET coordinates = ARRAY(SELECT DISTINCT coordinate FROM unnest(operations.coordinates || EXCLUDED.coordinates) AS coordinate ORDER BY 1)
WHERE NOT operations.coordinates @> EXCLUDED.coordinates`

const days = `INSERT INTO gateway.operation_days (hash, day, client, client_version, requests, last_seen)
SELECT hash, day, client, client_version, requests, last_seen
FROM jsonb_to_recordset($1::jsonb) AS seen (hash text, day date, client text, client_version text, requests bigint, last_seen timestamptz)
ORDER BY hash, day, client, client_version
ON CONFLICT (day, hash, client, client_version) DO UPDATE
SET requests = operation_days.requests + EXCLUDED.requests, last_seen = greatest(operation_days.last_seen, EXCLUDED.last_seen)`

const tenants = 'INSERT INTO gateway.operation_tenants (hash, day, client, client_version)'

/** One row for each operation: ON CONFLICT refuses to touch a row twice. */
function operationRows(seen: readonly SeenOperation[]) {
  const rows = new Map<string, Pick<SeenOperation, 'hash' | 'name' | 'document' | 'coordinates'>>()
  for (const { hash, name, document, coordinates } of seen)
    rows.set(hash, { hash, name, document, coordinates })
  return [...rows.values()]
}

function dayRows(seen: readonly SeenOperation[]) {
  return seen.map(({ hash, day, client, clientVersion, requests, lastSeen }) => ({
    hash,
    day,
    client,
    client_version: clientVersion,
    requests,
    last_seen: lastSeen,
  }))
}

function byTenant(seen: readonly SeenOperation[]) {
  const rows = new Map<string, string[][]>()
  for (const { hash, day, client, clientVersion, tenants } of seen) {
    for (const tenantId of tenants) {
      const of = rows.get(tenantId) ?? []
      of.push([hash, day, client, clientVersion])
      rows.set(tenantId, of)
    }
  }
  return rows
}
