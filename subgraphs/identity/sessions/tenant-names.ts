import type { SubgraphContext } from '../../../kernel/context'
import { prepared } from '../../../kernel/statement'

/** The name and the slug of the connection's tenant, which identity has no table of. */
export async function tenantNames({
  db,
  binding,
}: Pick<SubgraphContext, 'db' | 'binding'>): Promise<{ name: string; slug: string }> {
  const [row] = await db.rows(binding, prepared('SELECT shared.tenant_name(), shared.tenant_slug()', []))
  const [name, slug] = row as [string, string]
  return { name, slug }
}
