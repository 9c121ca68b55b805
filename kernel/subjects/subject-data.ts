import type { Statement, SubgraphContext } from '../context'
import { decryptRows } from '../encryption/encrypted-columns'
import type { Job } from '../jobs'
import { shareHolds, type RetainedRows } from '../retention/plan'
import { entityModels } from '../schema/entity-model'
import type { SubgraphName } from '../schema/subgraph-names'
import { projectionOf } from '../reading/projection'
import { prepared } from '../statement'
import type { MutationTransaction } from '../writing/mutation-transaction'
import { collectorsOf, type Collector } from './collectors'
import { empty, idsToEmpty, planErasure, type Outcome, type Subject } from './erase'
import { writeExport, type GivenRow } from './exports'
import { subjectTypes, type PersonalDeclarations } from './personal-rows'

/** Rows that one statement reads. */
const mostAtOnce = 500

type Transaction = Pick<MutationTransaction, 'rows' | 'run' | 'audit' | 'emit'>

/** The rows of a person that the person is given, or takes along, as objects with their type. */
async function* givenRows(
  context: SubgraphContext,
  tx: Transaction,
  { model, about, given }: Collector,
  { subject, isPort }: { subject: Subject; isPort: boolean },
  seen: Set<unknown>,
): AsyncGenerator<GivenRow> {
  const found = about.get(subject.type)
  const properties = (isPort ? given?.ported : given?.properties) ?? []
  if (!found || !given || properties.length === 0) return
  const projection = projectionOf(model, properties)
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
        ([property, value]) => properties.includes(property) && !(value instanceof Error),
      )
      yield { type: model.name, id: row['id'], fields: Object.fromEntries(told) }
    }
    if (rows.length < mostAtOnce) return
    last = rows.at(-1)!['id']
  }
}

/** All that a person is given, and how many rows of each type were. */
async function* allGiven(
  context: SubgraphContext,
  tx: Transaction,
  collectors: readonly Collector[],
  { subjects, isPort }: { subjects: readonly Subject[]; isPort: boolean },
  found: Map<string, number>,
): AsyncGenerator<GivenRow> {
  for (const collector of collectors) {
    const seen = new Set<unknown>()
    for (const subject of subjects)
      for await (const row of givenRows(context, tx, collector, { subject, isPort }, seen)) {
        found.set(row.type, (found.get(row.type) ?? 0) + 1)
        yield row
      }
  }
}

/** The question to the job of a subgraph: which task of compliance's. */
interface Asked {
  taskId: string
}

const findTask = `SELECT t.request_id, t.purpose, t.made_until, t.user_id, t.customer_id, t.employee_id FROM shared.subject_tasks t
  WHERE t.tenant_id = $1 AND t.id = $2 AND NOT EXISTS (
    SELECT FROM shared.subject_answers a WHERE a.tenant_id = $1 AND a.task_id = $2 AND a.subgraph = $3)`
/** Tells whether the request still waits for the task; one that erases keeps it so until the end of the transaction. */
const isAwaited = 'SELECT shared.is_subject_task_awaited($1)'
/** Fails where there is one: then nothing is emptied a second time, since its line would be missing. */
const addAnswer = 'INSERT INTO shared.subject_answers (task_id, answers) VALUES ($1, $2)'

/** The answer for one type: rows that the person is given, and what erasing does, or would do. */
export type Answer = Outcome & { given: number }

/**
 * The job by which a subgraph answers for its own rows: it finds what is about a person, for the person to be given; or empties
 * it, with what stays and why, in one transaction: a hold is placed before or after, and nothing goes without its line of the receipt.
 * A task is answered once. For one that nobody awaits, because its request was asked anew or ended, nothing is done.
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
      const [task] = await send(prepared(findTask, [tenantId, taskId, subgraph]))
      const [awaited] = task ? await send(prepared(isAwaited, [taskId])) : []
      if (!task || awaited?.[0] !== true) return
      const [requestId, purpose, madeUntil, ...people] = task as [string, string, ...(string | null)[]]
      const subjects = subjectTypes.flatMap((type, place) => {
        const id = people[place]
        return id ? [{ type, id }] : []
      })
      const collectors = collectorsOf(entityModels(context.db.dataSource), declared, retained)
      // What is written for the person to read takes its time: no hold waits for it.
      if (purpose === 'ERASE') await shareHolds(send, tenantId)
      const at = context.clock.now().toISOString()
      const plans = await planErasure(send, tenantId, collectors, subjects, at, madeUntil)
      const answers = new Map<string, Answer>(
        plans.map(({ type: name, erased, kept }) => [name, { type: name, given: 0, erased, kept }]),
      )
      if (purpose !== 'ERASE') {
        const found = new Map<string, number>()
        const rows = allGiven(context, tx, collectors, { subjects, isPort: purpose === 'PORT' }, found)
        await writeExport(context, tx, { requestId, subgraph }, rows)
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
