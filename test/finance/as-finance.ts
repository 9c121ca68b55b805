import { Client } from 'pg'
import type { TestGraph } from '../support/graph'

/**
 * Runs statements as the subgraph's role, bound to a tenant, in a transaction that is taken back.
 * @returns why one of them, or the end of the transaction, was refused; null when nothing was
 */
export async function refusedAs(
  graph: TestGraph,
  tenantId: string,
  texts: readonly string[],
): Promise<string | null> {
  const client = new Client({ connectionString: graph.database.urlFor('finance') })
  await client.connect()
  try {
    await client.query('BEGIN')
    await client.query("SELECT set_config('app.tenant_id', $1, true)", [tenantId])
    for (const text of texts) await client.query(text)
    await client.query('SET CONSTRAINTS ALL IMMEDIATE')
    await client.query('ROLLBACK')
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    await client.end()
  }
}
