import type { SubgraphContext } from '../../../kernel/context'
import { enqueue, type Job } from '../../../kernel/jobs'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { ComplianceRecord } from '../entities/ComplianceRecord'
import { inTime } from '../screening/provider'
import { configuredProvider, screening, screeningMs } from './screening'

/** Records of a kind that one run looks at; the next run takes the others. */
const mostRecords = 1_000
const hour = 3_600_000

/** The ids and content versions of records, locked. */
async function lockedRecords(
  { binding }: SubgraphContext,
  tx: MutationTransaction<string>,
  condition: string,
  values: readonly unknown[],
): Promise<[id: string, contentVersion: number][]> {
  const text = `SELECT id, content_version FROM compliance.compliance_records
    WHERE tenant_id = $1 AND ${condition} ORDER BY id LIMIT ${mostRecords} FOR UPDATE`
  return (await tx.rows(prepared(text, [binding.tenantId, ...values]))) as [string, number][]
}

/** Does to compliance records as time goes on: approvals end, and what is overdue is marked as escalated. */
export const reviewDates: Job = {
  name: 'review-dates',
  schedule: { cron: '5 * * * *', timeZone: 'UTC' },
  async run(context, tx, _, { signal, progress }) {
    const at = context.clock.now().toISOString()
    const ended = await lockedRecords(context, tx, "status = 'APPROVED' AND expires_at <= $2", [at])
    const isOverdue =
      "status IN ('PENDING', 'POTENTIAL_MATCH', 'FLAGGED') AND due_at <= $2 AND escalated_at IS NULL"
    const overdue = await lockedRecords(context, tx, isOverdue, [at])
    const changes = [
      ...ended.map(([id]) => [id, { status: 'EXPIRED' }] as const),
      ...overdue.map(([id]) => [id, { escalatedAt: at }] as const),
    ]
    for (const [place, [id, values]] of changes.entries()) {
      signal.throwIfAborted()
      await tx.update(ComplianceRecord, id, null, values)
      progress(place + 1, changes.length)
    }
  },
}

/**
 * Has people who were approved compared with lists that are new, and asks again for screenings that came to no end. Where
 * the lists cannot be read it fails: approvals go on until they end, and nobody new is approved.
 */
export const newLists: Job = {
  name: 'new-lists',
  schedule: { cron: '25 * * * *', timeZone: 'UTC' },
  async run(context, tx, _, { signal }) {
    const now = context.clock.now()
    const provider = configuredProvider(context)
    const version = await inTime((stop) => provider.listVersion(stop), screeningMs, signal)
    const isOutdated = `subject_name IS NOT NULL AND (status = 'APPROVED' AND list_version IS DISTINCT FROM $2
      OR status = 'SCREENING' AND updated_at <= $3)`
    const since = new Date(now.getTime() - hour).toISOString()
    for (const [recordId, contentVersion] of await lockedRecords(context, tx, isOutdated, [version, since])) {
      // Once an hour at most, however often a run is repeated.
      const key = `${recordId} ${now.toISOString().slice(0, 13)}`
      await enqueue(context, tx, screening, { recordId, contentVersion }, { key })
    }
  },
}
