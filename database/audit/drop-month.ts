import type { Client } from 'pg'
import type { BlobStore } from '../../kernel/blobs/blob-store'
import type { Clock } from '../../kernel/clock'
import { cutFolder, signed, type AuditKeys, type Cut, type CutRun } from '../../kernel/sealing/statements'
import { readingClient, verifyTenant } from './verify'

/** Entries of the audit trail are kept for so long at least; no option shortens it. */
export const keptYears = 10

export interface DropResult {
  entries: number
  tenants: number
}

/**
 * Drops a month of the audit trail of all tenants, after a signed statement for each of them says what went, so that the
 * rest can be verified. It first verifies the chains: what was tampered with does not vanish in order.
 * @param month YYYY-MM
 * @throws when the month is too young, not there, not sealed yet, or a chain does not hold; nothing is dropped then
 */
export async function dropMonth(
  options: { migratorUrl: string; blobs: BlobStore; keys: AuditKeys; clock: Clock },
  month: string,
): Promise<DropResult> {
  const { blobs, keys, clock } = options
  const part = `shared.audit_logs_${month.replace('-', '')}`
  requireOldEnough(month, clock.now())
  const statements = statementsOf(part)
  const client = await readingClient(options.migratorUrl)
  try {
    const found = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
      part,
    ])
    if (!found.rows[0]!.there) throw new Error(`There is no month ${month} in the audit trail.`)
    const tenants = (await client.query<{ id: string; slug: string }>(statements.tenants)).rows
    for (const tenant of tenants) {
      const { faults } = await verifyTenant(client, tenant, blobs, keys)
      if (faults.length > 0)
        throw new Error(
          `Nothing was dropped: the trail of ${tenant.slug} does not hold. Run npm run audit -- verify.`,
        )
    }
    await client.query('BEGIN')
    await client.query("SET LOCAL lock_timeout = '5s'")
    await client.query(statements.lock)
    const runs = await runsOf(client, statements)
    for (const [tenantId, own] of runs) {
      const line = signed<Cut>(keys, {
        format: 'tenantgraph audit cut 1',
        ...{ tenantId, month, runs: own, at: clock.now().toISOString() },
      })
      await blobs
        .of(tenantId)
        .put(`${cutFolder}${month}.json`, [Buffer.from(line)], { contentType: 'application/json' })
    }
    await client.query(statements.detach)
    await client.query(statements.drop)
    await client.query('COMMIT')
    const entries = [...runs.values()].flat().reduce((sum, { first, last }) => sum + last - first + 1, 0)
    return { entries, tenants: runs.size }
  } finally {
    await client.end() // an open transaction ends with it, undone
  }
}

function requireOldEnough(month: string, now: Date): void {
  const [, year, number] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(month) ?? []
  if (!year || !number) throw new Error(`"${month}" is no month: write it as 2015-03.`)
  const until = new Date(Date.UTC(Number(year) + keptYears, Number(number)))
  if (now < until)
    throw new Error(
      `${month} is kept until ${until.toISOString().slice(0, 10)}: ${keptYears} years from its end.`,
    )
}

/** The statements about one month's table, whose name was made of digits. */
function statementsOf(part: string) {
  return {
    lock: `LOCK TABLE ${part} IN ACCESS EXCLUSIVE MODE`,
    detach: `ALTER TABLE shared.audit_logs DETACH PARTITION ${part}`,
    drop: `DROP TABLE ${part}`,
    tenants: `SELECT id, slug FROM tenancy.tenants t
      WHERE EXISTS (SELECT FROM ${part} p WHERE p.tenant_id = t.id) ORDER BY slug`,
    unsealed: `SELECT FROM ${part} WHERE position IS NULL LIMIT 1`,
    runs: `SELECT r.tenant_id AS tenant, r.first, r.last,
       (SELECT hash FROM shared.audit_logs b WHERE b.tenant_id = r.tenant_id AND b.position = r.first - 1) AS before,
       (SELECT hash FROM ${part} a WHERE a.tenant_id = r.tenant_id AND a.position = r.last) AS after
     FROM (SELECT tenant_id, min(position) AS first, max(position) AS last FROM (
         SELECT tenant_id, position, position - row_number() OVER (PARTITION BY tenant_id ORDER BY position) AS island FROM ${part}
       ) AS numbered GROUP BY tenant_id, island) AS r
     ORDER BY r.tenant_id, r.first`,
  }
}

/** Positions in a month that follow each other, by tenant. */
async function runsOf(
  client: Client,
  statements: { unsealed: string; runs: string },
): Promise<Map<string, CutRun[]>> {
  if ((await client.query(statements.unsealed)).rowCount)
    throw new Error('Entries of this month have no position yet: npm run audit -- seal.')
  const { rows } = await client.query<
    Pick<CutRun, 'before' | 'after'> & { tenant: string; first: string; last: string }
  >(statements.runs)
  const runs = new Map<string, CutRun[]>()
  for (const { tenant, first, last, before, after } of rows) {
    const own = runs.get(tenant) ?? []
    own.push({ first: Number(first), last: Number(last), before, after })
    runs.set(tenant, own)
  }
  return runs
}
