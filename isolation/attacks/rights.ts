import { Client, DatabaseError } from 'pg'
import type { Lab } from '../lab'
import { attacker, type AttackedTenant, type TenantTable } from '../population'
import { readRights, roles, type RoleRight } from '../rights'

/**
 * Uses every right of every role past the product, in SQL of the attack's own, bound to the attacker and aimed at a victim:
 * nothing may be read, changed, removed or added. The same statement bound to the victim finds its rows; it is undone.
 */
export async function attackRights(lab: Lab, victims: readonly AttackedTenant[]): Promise<void> {
  const rights = await readRights(lab.client)
  for (const role of roles) {
    const client = new Client({ connectionString: lab.stage.urlFor(role) })
    await client.connect()
    try {
      for (const right of rights.filter((one) => one.role === role))
        for (const victim of victims) await attackRight(lab, client, right, victim)
    } finally {
      await client.end()
    }
  }
}

async function attackRight(
  lab: Lab,
  client: Client,
  right: RoleRight,
  victim: AttackedTenant,
): Promise<void> {
  const { name, table, privilege } = right
  lab.coverage.attacked('right of a role', name)
  const sql = statementOf(right)
  const [row] = privilege === 'INSERT' ? await rowOf(lab.client, table, victim) : [victim.id]
  // Nothing to add: the report says so, since no victim is shown anything.
  if (row === undefined) return
  const theirs = await reached(client, victim, sql, row, noRight)
  if (theirs > 0) lab.coverage.shown('right of a role', name)
  const rows = await reached(client, attacker, sql, row, refusedBefore)
  if (rows > 0) lab.found('right of a role', name, `reaches ${rows} rows of ${victim.slug}`)
}

/** A statement whose parameter is the victim's id, or of added rows the row. */
function statementOf({ table: { name, tenantColumn }, privilege, columns }: RoleRight): string {
  const own = `${tenantColumn} = $1`
  if (privilege === 'SELECT') return `SELECT FROM ${name} WHERE ${own}`
  if (privilege === 'UPDATE') return `UPDATE ${name} SET ${columns[0]} = ${columns[0]} WHERE ${own}`
  if (privilege === 'DELETE') return `DELETE FROM ${name} WHERE ${own}`
  const list = columns.join(', ')
  return `INSERT INTO ${name} (${list}) OVERRIDING SYSTEM VALUE SELECT ${list} FROM jsonb_populate_record(NULL::${name}, $1::jsonb)`
}

async function rowOf(client: Client, table: TenantTable, tenant: AttackedTenant): Promise<string[]> {
  const text = `SELECT to_jsonb(t)::text AS row FROM ${table.name} t WHERE ${table.tenantColumn} = $1 LIMIT 1`
  return (await client.query<{ row: string }>(text, [tenant.id])).rows.map(({ row }) => row)
}

/**
 * Codes of what refuses before a row is looked at: row level security or a missing right, and a trigger of the table, which
 * sees as much as the role and says the same of what is not there.
 */
const refusedBefore: readonly string[] = ['42501', '23000']
const noRight: readonly string[] = ['42501']

/** Counts the rows that a statement reaches when it is bound to a tenant; what it did is undone. */
async function reached(
  client: Client,
  tenant: AttackedTenant,
  sql: string,
  value: string,
  unreached: readonly string[],
): Promise<number> {
  await client.query('BEGIN')
  try {
    await client.query("SELECT set_config('app.tenant_id', $1, true)", [tenant.id])
    return (await client.query(sql, [value])).rowCount ?? 0
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error
    // Every other refusal, such as of a key that is there already, comes behind the wall.
    return unreached.includes(String(error.code)) ? 0 : 1
  } finally {
    await client.query('ROLLBACK')
  }
}
