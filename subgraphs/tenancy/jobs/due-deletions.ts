import type { SubgraphContext } from '../../../kernel/context'
import type { Job } from '../../../kernel/jobs'
import { platformAction } from '../../../kernel/operator'
import { prepared } from '../../../kernel/statement'

/** Removes all files of a tenant, and counts them. */
async function removeFiles(
  { services }: SubgraphContext,
  tenantId: string,
  signal: AbortSignal,
): Promise<number> {
  const own = services.blobs.of(tenantId)
  const keys: string[] = []
  for await (const key of own.list('')) keys.push(key)
  for (const key of keys) {
    signal.throwIfAborted()
    await own.delete(key)
  }
  return keys.length
}

/**
 * Deletes tenants whose days of grace are over, with all their rows and files. By the clock of the database: nobody who asks hurries it,
 * and no sandbox. How many rows of each table and how many files went stands in the platform's own trail, from the same transaction. Files
 * go before it commits: where that fails, or the process dies, the tenant is still due, and the next hour begins anew. What the platform
 * billed stays apart until the years of tax law are over (`tenancy.kept_documents`), and goes here then.
 */
export const dueDeletions: Job = {
  name: 'due-deletions',
  for: 'platform',
  schedule: { cron: '20 * * * *', timeZone: 'UTC' },
  async run(context, tx, _, { signal, progress }) {
    const due = await tx.rows(prepared('SELECT tenancy.tenants_to_delete()', []))
    for (const [place, [tenantId]] of due.entries()) {
      signal.throwIfAborted()
      const [counted] = await tx.rows(prepared('SELECT tenancy.count_due_tenant($1)', [tenantId]))
      const [row] = await tx.rows(prepared('SELECT tenancy.delete_due_tenant($1)', [tenantId]))
      if (row?.[0] !== true) continue
      const files = await removeFiles(context, String(tenantId), signal)
      const receipt = { rows: counted![0] as Record<string, number>, files }
      await tx.rows(platformAction(context, 'DELETE_TENANT', String(tenantId), receipt))
      progress(place + 1, due.length)
    }
    await tx.rows(prepared('SELECT tenancy.remove_kept_documents()', []))
  },
}
