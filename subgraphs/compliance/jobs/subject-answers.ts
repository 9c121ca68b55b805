import { blobs } from '../../../kernel/blobs'
import type { SubgraphContext } from '../../../kernel/context'
import { enqueue, type Job } from '../../../kernel/jobs'
import type { MutationTransaction } from '../../../kernel/mutate'
import { heldSql, shareHolds } from '../../../kernel/retention'
import { prepared } from '../../../kernel/statement'
import { exportKey, subgraphNames } from '../../../kernel/subjects'
import { DataSubjectRequest } from '../entities/DataSubjectRequest'
import { untold } from '../personal'
import { downloadDays, reviewDays } from '../rules/deadline'

/** Names the answers that are waited for, and how often they were looked for. */
interface Waiting {
  requestId: string
  taskId: string
  tries: number
}

/** Looks for answers: after 1, 2, 4 … seconds, some two hours in all. */
const mostTries = 12

/** The answers to all that was asked for the request of this purpose: one that failed has some. */
const findAnswers = `SELECT a.task_id = $2, a.answers FROM shared.subject_answers a
    JOIN shared.subject_tasks t ON t.tenant_id = a.tenant_id AND t.id = a.task_id
  WHERE a.tenant_id = $1 AND t.tenant_id = $1 AND t.request_id = $3 AND t.purpose = $4 ORDER BY a.task_id, a.subgraph`
/** Requests about the same person. */
const findOthers = `SELECT t.id, t.ended_at IS NOT NULL AND NOT ${heldSql({ resourceType: 'DataSubjectRequest' })}
   FROM compliance.data_subject_requests t JOIN compliance.data_subject_requests own ON own.tenant_id = t.tenant_id AND own.id = $2
  WHERE t.tenant_id = $1 AND own.tenant_id = $1 AND t.id <> $2 AND t.shredded_at IS NULL
    AND (t.customer_id = own.customer_id OR t.employee_id = own.employee_id OR t.user_id = own.user_id) ORDER BY t.id`
/** Collected long ago, and decided by nobody. */
const findIdle = `SELECT t.id FROM compliance.data_subject_requests t WHERE t.tenant_id = $1 AND t.status = 'REVIEW'
  AND t.updated_at <= $2 ORDER BY t.id LIMIT 100`
const findEnded = `SELECT t.id FROM compliance.data_subject_requests t WHERE t.tenant_id = $1 AND t.ended_at <= $2
  AND t.shredded_at IS NULL AND NOT ${heldSql({ resourceType: 'DataSubjectRequest' })} ORDER BY t.ended_at, t.id LIMIT 100`

/** The answer for one type. */
interface TypeAnswer {
  type: string
  given: number
  erased: number
  kept: unknown[]
}

/** One answer for each type: all that was ever erased, and what stayed when it was asked last. */
function unionOf(rows: readonly unknown[][]): TypeAnswer[] {
  const types = new Map<string, TypeAnswer>()
  for (const [isLast, answers] of rows)
    for (const answer of answers as TypeAnswer[]) {
      const erased = (types.get(answer.type)?.erased ?? 0) + answer.erased
      types.set(answer.type, { ...answer, kept: isLast ? answer.kept : [], erased })
    }
  return [...types.values()].sort((a, b) => (a.type < b.type ? -1 : 1))
}

async function removeExport(context: SubgraphContext, requestId: string): Promise<void> {
  for (const subgraph of subgraphNames) await blobs(context).delete(exportKey(requestId, subgraph))
}

/** Destroys the key of a request that ended, and with it what was collected and the address of who asked. */
async function shred(context: SubgraphContext, tx: MutationTransaction, id: string): Promise<void> {
  await removeExport(context, id)
  await tx.rows(prepared('SELECT shared.destroy_subject_key($1)', [id]))
  await tx.update(DataSubjectRequest, id, null, {
    ...{ requesterEmail: null, exportHash: null, exportExpiresAt: null },
    shreddedAt: context.clock.now().toISOString(),
  })
}

/** Removes what was collected for a request that has not ended; one that waits for a decision is collected anew. */
async function forget(context: SubgraphContext, tx: MutationTransaction, id: string): Promise<void> {
  await removeExport(context, id)
  const { status } = await tx.find(DataSubjectRequest, id)
  if (status !== 'REVIEW') return
  const nobody = { approvedById: null, approvedAt: null }
  await tx.update(DataSubjectRequest, id, null, {
    ...nobody,
    status: 'VERIFIED',
    collected: null,
    answered: 0,
  })
}

/**
 * Puts the answers of all subgraphs together, when they are there. Where one fails, the request is as before, and asked anew; but
 * an erasure that has begun is only ever ended.
 */
export const subjectAnswers: Job<Waiting> = {
  name: 'subject-answers',
  async run(context, tx, { requestId, taskId, tries }, { progress }) {
    const tenantId = context.binding.tenantId
    const request = await tx.find(DataSubjectRequest, requestId)
    // Asked anew meanwhile: others wait for that.
    if (request.taskId !== taskId || !['COLLECTING', 'FULFILLING'].includes(request.status)) return
    const isErasing = request.status === 'FULFILLING'
    const purpose = isErasing ? 'ERASE' : 'COLLECT'
    const all = await tx.rows(prepared(findAnswers, [tenantId, taskId, requestId, purpose]))
    const rows = all.filter(([isLast]) => isLast)
    progress(rows.length, subgraphNames.length)
    const now = context.clock.now()
    const change = (changes: Partial<DataSubjectRequest>) =>
      tx.update(DataSubjectRequest, requestId, null, { answered: rows.length, ...changes })
    if (rows.length < subgraphNames.length) {
      const hasErased = isErasing && unionOf(all).some(({ erased }) => erased > 0)
      const before = hasErased ? 'FULFILLING' : isErasing ? 'REVIEW' : 'VERIFIED'
      if (tries >= mostTries) return void (await change({ status: before }))
      if (rows.length > request.answered) await change({})
      const at = new Date(now.getTime() + 1000 * 2 ** tries)
      await enqueue(context, tx, subjectAnswers, { requestId, taskId, tries: tries + 1 }, { at })
      return
    }
    const types = unionOf(isErasing ? all : rows)
    if (!isErasing) return void (await change({ status: 'REVIEW', collected: { types } }))
    const done = now.toISOString()
    // What an erasure found is nobody's to download, nor what was collected for other requests of the person.
    await removeExport(context, requestId)
    for (const [id, isEnded] of await tx.rows(prepared(findOthers, [tenantId, requestId]))) {
      if (isEnded) await shred(context, tx, String(id))
      else await forget(context, tx, String(id))
    }
    const told = types.filter(({ type }) => !untold.includes(type))
    await change({ status: 'FULFILLED', receipt: { types: told }, fulfilledAt: done, endedAt: done })
  },
}

/**
 * A week after the end of a request its key is destroyed: with it the address of who asked, and what was collected, in every copy.
 * Thirty days after nobody decided about what was collected, that is removed.
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
      await shred(context, tx, String(id))
      progress(place + 1, ended.length)
    }
    const idle = new Date(now.getTime() - reviewDays * 86_400_000).toISOString()
    for (const [id] of await tx.rows(prepared(findIdle, [tenantId, idle]))) {
      signal.throwIfAborted()
      await forget(context, tx, String(id))
    }
  },
}
