import type { TestGraph } from './graph'

/** Has an account be in somebody's hand, as if they had invited it so many days ago. */
export async function inHandOf(
  graph: Pick<TestGraph, 'owner' | 'clock'>,
  userId: string,
  byId: string,
  daysAgo = 0,
): Promise<void> {
  const at = new Date(graph.clock.now().getTime() - daysAgo * 86_400_000)
  await graph.owner.query(
    `INSERT INTO identity.entrustments (tenant_id, user_id, by_id, entrusted_at)
     SELECT tenant_id, id, $2, $3 FROM identity.users WHERE id = $1`,
    [userId, byId, at],
  )
}
