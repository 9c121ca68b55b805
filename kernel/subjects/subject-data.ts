import { blobs } from '../blobs'
import type { Statement, SubgraphContext } from '../context'
import { decryptRows } from '../encryption/encrypted-columns'
import { keyIdOf, type DataKey } from '../encryption/cipher'
import type { Job } from '../jobs'
import { shareHolds, type RetainedRows } from '../retention/plan'
import { entityModels } from '../schema/entity-model'
import type { SubgraphName } from '../schema/subgraph-names'
import { projectionOf } from '../reading/projection'
import { prepared } from '../statement'
import type { MutationTransaction } from '../writing/mutation-transaction'
import { collectorsOf, type Collector } from './collectors'
import { empty, idsToEmpty, planErasure, type Outcome, type Subject } from './erase'
import { subjectTypes, type PersonalDeclarations } from './personal-rows'

/** Rows that one statement reads. */
const mostAtOnce = 500

type Transaction = Pick<MutationTransaction, 'rows' | 'run' | 'audit' | 'emit'>

/** The file of what one subgraph found for a request, of encrypted lines. */
export const exportKey = (requestId: string, subgraph: SubgraphName): string =>
  `subject-requests/${requestId}/${subgraph}`

/** Binds a line to its request, subgraph and number: none can be left out, moved or brought from elsewhere. */
const placeOf = (tenantId: string, requestId: string, subgraph: SubgraphName, number: number) =>
  `subject data|${tenantId}|${requestId}|${subgraph}|${number}`

/** The rows of a person that the person is given, as objects with their type. */
async function* givenRows(
  context: SubgraphContext,
  tx: Transaction,
  { model, about, given }: Collector,
  subject: Subject,
  seen: Set<unknown>,
): AsyncGenerator<Record<string, unknown>> {
  const found = about.get(subject.type)
  if (!found || !given) return
  const projection = projectionOf(model, given.properties)
  const text = `SELECT ${projection.selectList} FROM ${model.table} t WHERE t.tenant_id = $1 AND ${found}
    AND (${given.condition}) AND ($3::uuid IS NULL OR t.id > $3) ORDER BY t.id LIMIT ${mostAtOnce}`
  let last: unknown = null
  for (;;) {
    const values = await tx.rows(prepared(text, [context.binding.tenantId, subject.id, last]))
    const rows = values.map((row) => projection.toRow(row))
    await decryptRows(context, (statement) => tx.rows(statement), model, projection, rows)
    for (const row of rows) {
      if (seen.has(row['id'])) continue
      seen.add(row['id'])
      const told = Object.entries(row).filter(
        ([property, value]) => given.properties.includes(property) && !(value instanceof Error),
      )
      yield { type: model.name, id: row['id'], fields: Object.fromEntries(told) }
    }
    if (rows.length < mostAtOnce) return
    last = rows.at(-1)!['id']
  }
}

/** Writes what was found, encrypted with the request's own key. Asked again, it is written anew. */
async function writeExport(
  context: SubgraphContext,
  tx: Transaction,
  collectors: readonly Collector[],
  {
    requestId,
    subgraph,
    subjects,
  }: { requestId: string; subgraph: SubgraphName; subjects: readonly Subject[] },
  tenantKey: DataKey,
): Promise<Map<string, number>> {
  const tenantId = context.binding.tenantId!
  const key = await context.services.dataKeys.ofSubject(
    (statement) => tx.rows(statement),
    tenantId,
    requestId,
    tenantKey,
  )
  const found = new Map<string, number>()
  let number = 0
  const lines = async function* () {
    for (const collector of collectors) {
      const seen = new Set<unknown>()
      for (const subject of subjects)
        for await (const row of givenRows(context, tx, collector, subject, seen)) {
          found.set(collector.model.name, (found.get(collector.model.name) ?? 0) + 1)
          const place = placeOf(tenantId, requestId, subgraph, number++)
          yield Buffer.from(`${key.encrypt(place, JSON.stringify(row))}\n`)
        }
    }
  }
  await blobs(context).put(exportKey(requestId, subgraph), lines())
  return found
}

/**
 * The rows that a subgraph found for a request, as JSON texts; null when they are gone, or their key was destroyed.
 * @throws Error when a line was changed or moved
 */
export async function readExport(
  context: SubgraphContext,
  tx: Pick<Transaction, 'rows'>,
  requestId: string,
  subgraph: SubgraphName,
): Promise<string[] | null> {
  const tenantId = context.binding.tenantId!
  const file = await blobs(context).get(exportKey(requestId, subgraph))
  if (!file) return null
  const parts: Buffer[] = []
  for await (const part of file.body) parts.push(part as Buffer)
  const lines = Buffer.concat(parts)
    .toString()
    .split('\n')
    .filter((line) => line !== '')
  const { dataKeys } = context.services
  const ids = new Set(lines.map((line) => keyIdOf(line) ?? ''))
  await dataKeys.load((statement) => tx.rows(statement), tenantId, ids)
  const rows: string[] = []
  for (const [number, line] of lines.entries()) {
    const key = dataKeys.known(tenantId, keyIdOf(line) ?? '')
    if (key === null) return null
    if (!key) throw dataKeys.faultOf(tenantId, keyIdOf(line) ?? '')
    rows.push(key.decrypt(placeOf(tenantId, requestId, subgraph, number), line))
  }
  return rows
}

/** The question to the job of a subgraph: which task of compliance's. */
interface Asked {
  taskId: string
}

const findTask = `SELECT request_id, purpose, user_id, customer_id, employee_id FROM shared.subject_tasks WHERE tenant_id = $1 AND id = $2`
/** Tells whether the request still waits for the task; one that erases keeps it so until the end of the transaction. */
const isAwaited = 'SELECT shared.is_subject_task_awaited($1)'
const addAnswer = `INSERT INTO shared.subject_answers (task_id, answers) VALUES ($1, $2)
  ON CONFLICT (tenant_id, task_id, subgraph) DO NOTHING`

/** The answer for one type: rows that the person is given, and what erasing does, or would do. */
export type Answer = Outcome & { given: number }

/**
 * The job by which a subgraph answers for its own rows: it finds what is about a person, for the person to be given; or empties
 * it, with what stays and why, in one transaction, so a hold is placed before or after. Asked again, nothing is left to empty. For
 * a task that nobody awaits, because its request was asked anew or ended, nothing is done.
 */
export function subjectDataJob(
  subgraph: SubgraphName,
  declared: PersonalDeclarations,
  retained: readonly RetainedRows[],
): Job<Asked> {
  return {
    name: 'subject-data',
    async run(context, tx, { taskId }, { progress }) {
      const tenantId = context.binding.tenantId!
      const send = (statement: Statement) => tx.rows(statement)
      const [task] = await send(prepared(findTask, [tenantId, taskId]))
      const [awaited] = task ? await send(prepared(isAwaited, [taskId])) : []
      if (!task || awaited?.[0] !== true) return
      const [requestId, purpose, ...people] = task as [string, string, ...(string | null)[]]
      const subjects = subjectTypes.flatMap((type, place) => {
        const id = people[place]
        return id ? [{ type, id }] : []
      })
      const collectors = collectorsOf(entityModels(context.db.dataSource), declared, retained)
      // What is written for the person to read takes its time: no hold waits for it.
      if (purpose === 'ERASE') await shareHolds(send, tenantId)
      const at = context.clock.now().toISOString()
      const plans = await planErasure(send, tenantId, collectors, subjects, at)
      const answers = new Map<string, Answer>(
        plans.map(({ type: name, erased, kept }) => [name, { type: name, given: 0, erased, kept }]),
      )
      if (purpose === 'COLLECT') {
        const [tenantKey] = await context.services.dataKeys.ofTenant(send, tenantId)
        const asked = { requestId, subgraph, subjects }
        const found = await writeExport(context, tx, collectors, asked, tenantKey!)
        for (const [name, given] of found)
          answers.set(name, { ...(answers.get(name) ?? { type: name, erased: 0, kept: [] }), given })
      } else {
        const due: { plan: (typeof plans)[number]; ids: string[] }[] = []
        for (const plan of plans) due.push({ plan, ids: await idsToEmpty(send, plan) })
        for (const { plan, ids } of due) {
          answers.get(plan.type)!.erased = ids.length
          if (ids.length === 0) continue
          await empty(send, tenantId, plan.collector, ids, at)
          for (const row of ids) tx.emit('erased', { type: plan.type, id: row }, {})
          tx.audit({
            ...{ action: 'DELETE', resourceType: plan.type, resourceId: null },
            changes: { after: { subjectRequest: requestId, emptied: ids.length } },
          })
        }
      }
      progress(answers.size)
      await tx.run(prepared(addAnswer, [taskId, JSON.stringify([...answers.values()])]))
    },
  }
}
