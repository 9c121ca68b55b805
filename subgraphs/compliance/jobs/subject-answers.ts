import { blobs } from '../../../kernel/blobs'
import { enqueue, type Job } from '../../../kernel/jobs'
import { heldSql, shareHolds } from '../../../kernel/retention'
import { prepared } from '../../../kernel/statement'
import { exportKey, subgraphNames } from '../../../kernel/subjects'
import { DataSubjectRequest } from '../entities/DataSubjectRequest'
import { downloadDays } from '../rules/deadline'

/** Names the answers that are waited for, and how often they were looked for. */
interface Waiting {
  requestId: string
  taskId: string
  tries: number
}

/** Looks for answers: after 1, 2, 4 … seconds, some two hours in all. */
const mostTries = 12

const findAnswers =
  'SELECT answers FROM shared.subject_answers WHERE tenant_id = $1 AND task_id = $2 ORDER BY subgraph'
const findEnded = `SELECT t.id FROM compliance.data_subject_requests t WHERE t.tenant_id = $1 AND t.ended_at <= $2
  AND t.shredded_at IS NULL AND NOT ${heldSql({ resourceType: 'DataSubjectRequest' })} ORDER BY t.ended_at, t.id LIMIT 100`

/** Puts the answers of all subgraphs together, when they are there. Where one fails, the request is as before: it is asked anew. */
export const subjectAnswers: Job<Waiting> = {
  name: 'subject-answers',
  async run(context, tx, { requestId, taskId, tries }, { progress }) {
    const request = await tx.find(DataSubjectRequest, requestId)
    // Asked anew meanwhile: others wait for that.
    if (request.taskId !== taskId || !['COLLECTING', 'FULFILLING'].includes(request.status)) return
    const rows = await tx.rows(prepared(findAnswers, [context.binding.tenantId, taskId]))
    progress(rows.length, subgraphNames.length)
    const isErasing = request.status === 'FULFILLING'
    const now = context.clock.now()
    const change = (changes: Partial<DataSubjectRequest>) =>
      tx.update(DataSubjectRequest, requestId, null, { answered: rows.length, ...changes })
    if (rows.length < subgraphNames.length) {
      if (tries >= mostTries) return void (await change({ status: isErasing ? 'REVIEW' : 'VERIFIED' }))
      if (rows.length > request.answered) await change({})
      const at = new Date(now.getTime() + 1000 * 2 ** tries)
      await enqueue(context, tx, subjectAnswers, { requestId, taskId, tries: tries + 1 }, { at })
      return
    }
    const types = (rows.flatMap(([answers]) => answers) as { type: string }[]).sort((a, b) =>
      a.type < b.type ? -1 : 1,
    )
    if (!isErasing) return void (await change({ status: 'REVIEW', collected: { types } }))
    const done = now.toISOString()
    // What an erasure found is nobody's to download.
    for (const subgraph of subgraphNames) await blobs(context).delete(exportKey(requestId, subgraph))
    await change({ status: 'FULFILLED', receipt: { types }, fulfilledAt: done, endedAt: done })
  },
}

/**
 * A week after the end of a request its key is destroyed: with it the address of who asked, and what was collected, in every copy.
 */
export const endedRequests: Job = {
  name: 'ended-subject-requests',
  schedule: { cron: '50 4 * * *', timeZone: 'UTC' },
  async run(context, tx, _payload, { signal, progress }) {
    const tenantId = context.binding.tenantId
    const now = context.clock.now()
    const before = new Date(now.getTime() - downloadDays * 86_400_000).toISOString()
    await shareHolds((statement) => tx.rows(statement), tenantId!)
    const ended = await tx.rows(prepared(findEnded, [tenantId, before]))
    for (const [place, [id]] of ended.entries()) {
      signal.throwIfAborted()
      for (const subgraph of subgraphNames) await blobs(context).delete(exportKey(String(id), subgraph))
      await tx.rows(prepared('SELECT shared.destroy_subject_key($1)', [id]))
      await tx.update(DataSubjectRequest, String(id), null, {
        requesterEmail: null,
        exportHash: null,
        exportExpiresAt: null,
        shreddedAt: now.toISOString(),
      })
      progress(place + 1, ended.length)
    }
  },
}
