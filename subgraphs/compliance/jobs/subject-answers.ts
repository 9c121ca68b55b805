import type { SubgraphContext } from '../../../kernel/context'
import { enqueue, type Job } from '../../../kernel/jobs'
import type { MutationTransaction } from '../../../kernel/mutate'
import { heldSql, shareHolds } from '../../../kernel/retention'
import { prepared } from '../../../kernel/statement'
import { removeExport, subgraphNames } from '../../../kernel/subjects'
import { DataSubjectRequest, type RequestStatus } from '../entities/DataSubjectRequest'
import { answeredMail, tellRequester } from '../mails/subject-request'
import { receiptOf, restOf, told, unionOf, type SubgraphAnswer } from '../receipt'
import { downloadDays, reviewDays } from '../rules/deadline'

/** Names the answers that are waited for, and how often they were looked for. */
interface Waiting {
  requestId: string
  taskId: string
  tries: number
}

/** Looks for answers: after 1, 2, 4 … seconds, some two hours in all. */
const mostTries = 12

/** The answers to all that was asked for the request of this purpose, in their order: one that failed has some. */
const findAnswers = `SELECT a.task_id, to_char(t.asked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    row_number() OVER (PARTITION BY a.subgraph ORDER BY a.task_id DESC) = 1, a.answers
    FROM shared.subject_answers a JOIN shared.subject_tasks t ON t.tenant_id = a.tenant_id AND t.id = a.task_id
  WHERE a.tenant_id = $1 AND t.tenant_id = $1 AND t.request_id = $2 AND (t.purpose = 'ERASE') = $3 ORDER BY a.task_id, a.subgraph`
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

/** Removes what was collected for other requests of a person whose rows were emptied: nothing of it is to be downloaded. */
async function removeOthers(context: SubgraphContext, tx: MutationTransaction, id: string): Promise<void> {
  await removeExport(context, id)
  for (const [other, isEnded] of await tx.rows(prepared(findOthers, [context.binding.tenantId, id]))) {
    if (isEnded) await shred(context, tx, String(other))
    else await forget(context, tx, String(other))
  }
}

/**
 * Ends an erasure, or a later pass of it: with its receipt, what is left to do and when. Each line of the receipt was written by a
 * subgraph in the transaction that emptied its rows: here they are added up, however often this is begun.
 */
async function endErasure(
  context: SubgraphContext,
  tx: MutationTransaction,
  request: DataSubjectRequest,
  answers: readonly SubgraphAnswer[],
): Promise<Partial<DataSubjectRequest>> {
  const now = context.clock.now()
  const types = unionOf(answers)
  const own = answers.filter(({ taskId }) => taskId === request.taskId)
  const erased = own.some((one) => one.answers.some((answer) => answer.erased > 0))
  if (erased || request.status === 'FULFILLING') await removeOthers(context, tx, request.id)
  // A hold that is released from then on has it looked at again.
  const done = { receipt: receiptOf(answers), ...restOf(types, now), lastPassAt: own[0]!.askedAt }
  if (request.status !== 'FULFILLING') return done
  await tellRequester(tx, request, answeredMail(request, { kept: told(types).flatMap(({ kept }) => kept) }))
  return { ...done, status: 'FULFILLED', fulfilledAt: now.toISOString(), endedAt: now.toISOString() }
}

/**
 * Puts the answers of all subgraphs together, when they are there. Where one fails, the request is as before, and asked anew; but
 * an erasure that has begun is only ever ended.
 */
export const subjectAnswers: Job<Waiting> = {
  name: 'subject-answers',
  async run(context, tx, { requestId, taskId, tries }, { progress }) {
    const request = await tx.find(DataSubjectRequest, requestId)
    const { type, status } = request
    // Asked anew meanwhile: others wait for that.
    const isErasing = type === 'ERASURE' && ['FULFILLING', 'FULFILLED'].includes(status)
    if (request.taskId !== taskId || (status !== 'COLLECTING' && !isErasing)) return
    const values = [context.binding.tenantId, requestId, isErasing]
    const all = (await tx.rows(prepared(findAnswers, values))).map(
      ([ofTask, askedAt, isLast, answers]) =>
        ({ taskId: ofTask, askedAt, isLast, answers }) as SubgraphAnswer,
    )
    const own = all.filter((one) => one.taskId === taskId)
    progress(own.length, subgraphNames.length)
    const now = context.clock.now()
    const change = (changes: Partial<DataSubjectRequest>) =>
      tx.update(DataSubjectRequest, requestId, null, { answered: own.length, ...changes })
    if (own.length < subgraphNames.length) {
      const soFar = isErasing && all.length > 0 ? { receipt: receiptOf(all) } : {}
      const hasErased = unionOf(all).some(({ erased }) => erased > 0)
      const before = status !== 'FULFILLING' ? 'VERIFIED' : hasErased ? 'FULFILLING' : 'REVIEW'
      const ended = status === 'FULFILLED' ? {} : { status: before as RequestStatus }
      if (tries >= mostTries) return void (await change({ ...soFar, ...ended }))
      if (own.length > request.answered) await change(soFar)
      const at = new Date(now.getTime() + 1000 * 2 ** tries)
      await enqueue(context, tx, subjectAnswers, { requestId, taskId, tries: tries + 1 }, { at })
      return
    }
    if (isErasing) return void (await change(await endErasure(context, tx, request, all)))
    await change({ status: 'REVIEW', collected: { types: unionOf(own) } })
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
