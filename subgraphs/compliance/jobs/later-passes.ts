import { enqueue, type Job } from '../../../kernel/jobs'
import { prepared } from '../../../kernel/statement'
import { DataSubjectRequest } from '../entities/DataSubjectRequest'
import { askSubgraphsOf } from '../subject-requests'

/** Requests that one run asks for: each asks every subgraph. */
const mostAtOnce = 100
/** Hours after which an erasure that was begun is asked for again: all that waits for answers has given up by then. */
const stuckHours = 24
const hour = 3_600_000

/** Erasures of which something is due again by now: its day came, a hold was released since, or it was begun and never ended. */
const findDue = `SELECT t.id FROM compliance.data_subject_requests t WHERE t.tenant_id = $1 AND t.type = 'ERASURE' AND (
    (t.status = 'FULFILLED' AND (t.next_pass_at <= $2 OR t.is_held AND EXISTS (
      SELECT FROM shared.held_subjects h WHERE h.tenant_id = $1 AND h.released_at >= t.last_pass_at)))
    OR (t.status = 'FULFILLING' AND t.last_pass_at <= $3))
  ORDER BY t.id LIMIT ${mostAtOnce} FOR UPDATE SKIP LOCKED`

/**
 * Empties what an erasure had to leave, once its time or its hold is over: the subgraphs are asked again, of the rows that were there
 * when it was fulfilled, and the receipt grows. It was approved then, and nothing else is asked of anybody.
 */
export const laterPasses: Job = {
  name: 'later-passes',
  schedule: { cron: '20 5 * * *', timeZone: 'UTC' },
  async run(context, tx, _payload, { signal, progress }) {
    const now = context.clock.now()
    const before = (hours: number) => new Date(now.getTime() - hours * hour).toISOString()
    const values = [context.binding.tenantId, now.toISOString(), before(stuckHours)]
    const due = await tx.rows(prepared(findDue, values))
    for (const [place, [id]] of due.entries()) {
      signal.throwIfAborted()
      const request = await tx.find(DataSubjectRequest, String(id))
      const taskId = await askSubgraphsOf(context, tx, request, true, request.fulfilledAt)
      // Were nobody to answer, it is tried again tomorrow.
      const nextPassAt = request.status === 'FULFILLED' ? before(-24) : null
      await tx.update(DataSubjectRequest, request.id, null, {
        taskId,
        answered: 0,
        nextPassAt,
        lastPassAt: now.toISOString(),
      })
      progress(place + 1, due.length)
    }
    if (due.length === mostAtOnce) await enqueue(context, tx, laterPasses, {})
  },
}
