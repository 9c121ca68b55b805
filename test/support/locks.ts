import type { Client } from 'pg'

/** Resolves when so many connections of this database wait for a lock: then they stand where the test wants them. */
export async function untilWaiting(owner: Client, expected: number): Promise<void> {
  for (let look = 0; look < 6_000; look++) {
    // In a transaction PostgreSQL keeps the first list of connections, without those opened since.
    await owner.query('SELECT pg_stat_clear_snapshot()')
    const { rows } = await owner.query<{ count: number }>(
      `SELECT count(DISTINCT pid)::int FROM pg_locks WHERE NOT granted
          AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())`,
    )
    if (rows[0]!.count === expected) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`${expected} connections were expected to wait for a lock, and did not`)
}
