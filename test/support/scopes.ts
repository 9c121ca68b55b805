import type { TestClient, TestGraph, TestTenant } from './graph'

/** A signed-in user without a role who holds exactly these permissions. */
export async function userWith(
  graph: TestGraph,
  tenant: TestTenant,
  scopes: readonly string[],
): Promise<TestClient & { email: string; password: string }> {
  const client = await tenant.user()
  await graph.owner.query('UPDATE identity.users SET granted_permissions = $2 WHERE id = $1', [
    client.userId,
    scopes,
  ])
  return client
}

/** Every permission of the catalogue, by name. */
export async function allScopes(graph: TestGraph): Promise<string[]> {
  const { rows } = await graph.owner.query<{ name: string }>(
    'SELECT name FROM identity.permissions ORDER BY name',
  )
  return rows.map(({ name }) => name)
}
