import { createHash, randomBytes } from 'node:crypto'
import type { SubgraphContext } from '../../kernel/context'
import { uuidv7 } from '../../kernel/id'
import { enqueue } from '../../kernel/jobs'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import { readExport, subgraphNames } from '../../kernel/subjects'
import { DataSubjectRequest, type RequestStatus } from './entities/DataSubjectRequest'
import type { ComplianceUserErrorCode } from './generated'
import { subjectAnswers } from './jobs/subject-answers'
import { factsOf, requireOther } from './person'
import { untold } from './personal'
import { downloadDays } from './rules/deadline'

type Transaction = MutationTransaction<ComplianceUserErrorCode>

export interface Seen {
  id: string
  expectedVersion: number
}

/** Characters of an export that one answer carries. */
const mostCharacters = 20_000_000
const day = 86_400_000

const addTask = `INSERT INTO shared.subject_tasks (id, request_id, purpose, customer_id, employee_id, user_id)
  VALUES ($1, $2, $3, $4, $5, $6)`
const askSubgraphs = 'SELECT shared.ask_subgraphs($1, $2::uuid[], $3)'
const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex')

/** The request, locked, which must have one of these statuses; of a version that nobody saw nothing is judged. */
export async function requestIn(
  context: SubgraphContext,
  tx: Transaction,
  { id, expectedVersion }: Seen,
  statuses: readonly RequestStatus[],
): Promise<DataSubjectRequest> {
  const found = await tx.find(DataSubjectRequest, id)
  if (found.version !== expectedVersion) return found
  if (!statuses.includes(found.status))
    tx.fail('WRONG_STATUS', `A request that is ${found.status} cannot have this done`, 'id')
  await requireOther(context, tx, found, await factsOf(tx, found, null))
  return found
}

/** The receipt of what was found or done, without what nobody is told of. */
export const receiptOf = (types: readonly { type: string }[]) => ({
  types: types.filter(({ type }) => !untold.includes(type)),
})

const typesOf = ({ collected }: DataSubjectRequest): { type: string }[] =>
  (collected as { types: { type: string }[] } | null)?.types ?? []

/** Has every subgraph answer for its own rows, and somebody wait for the answers. */
export async function askSubgraphsOf(
  context: SubgraphContext,
  tx: Transaction,
  { id, customerId, employeeId, userId }: DataSubjectRequest,
  purpose: 'COLLECT' | 'ERASE',
): Promise<string> {
  const now = context.clock.now()
  const [taskId, ...jobIds] = [0, ...subgraphNames].map(() => uuidv7(now.getTime()))
  await tx.run(prepared(addTask, [taskId, id, purpose, customerId, employeeId, userId]))
  await tx.rows(prepared(askSubgraphs, [taskId, jobIds, now.toISOString()]))
  const at = new Date(now.getTime() + 1_000)
  await enqueue(context, tx, subjectAnswers, { requestId: id, taskId: taskId!, tries: 1 }, { at })
  return taskId!
}

export const givesExport = ({ type }: DataSubjectRequest): boolean =>
  type === 'ACCESS' || type === 'PORTABILITY'

/** Does what somebody else approved. */
export async function fulfil(
  context: SubgraphContext,
  tx: Transaction,
  { outcome, ...seen }: Seen & { outcome?: string | null },
) {
  // An erasure that was not answered is asked for anew: what is emptied already is left alone.
  const found = await requestIn(context, tx, seen, ['REVIEW', 'FULFILLING'])
  const isSeen = found.version === seen.expectedVersion
  if (isSeen && found.approvedById === null)
    tx.fail('WRONG_STATUS', 'Somebody else must approve it first', 'id')
  const now = context.clock.now()
  const by = { fulfilledById: context.binding.actorId!, outcome: outcome ?? null }
  const done = {
    ...by,
    status: 'FULFILLED',
    fulfilledAt: now.toISOString(),
    endedAt: now.toISOString(),
  } as const
  const change = (changes: Partial<DataSubjectRequest>) =>
    tx.update(DataSubjectRequest, seen.id, seen.expectedVersion, changes)
  if (found.type === 'ERASURE') {
    if (!isSeen) return { dataSubjectRequest: await change(by), exportToken: null }
    if ((await factsOf(tx, found, null)).isActive)
      tx.fail(
        'WRONG_STATUS',
        'The account is in use: suspend it first, have it collected anew and approved',
        'id',
      )
    const taskId = await askSubgraphsOf(context, tx, found, 'ERASE')
    const changes = { ...by, status: 'FULFILLING', taskId, answered: 0 } as const
    return { dataSubjectRequest: await change(changes), exportToken: null }
  }
  if (givesExport(found)) {
    const exportToken = randomBytes(32).toString('base64url')
    const exportExpiresAt = new Date(now.getTime() + downloadDays * day).toISOString()
    const changes = {
      ...done,
      exportHash: hashOf(exportToken),
      exportExpiresAt,
      receipt: receiptOf(typesOf(found)),
    }
    return { dataSubjectRequest: await change(changes), exportToken }
  }
  if (isSeen && !outcome) tx.fail('INVALID', 'outcome must say what was done', 'outcome')
  return { dataSubjectRequest: await change({ ...done, receipt: { outcome } }), exportToken: null }
}

/** Gives what was collected, once: whoever comes second finds it gone. */
export async function download(
  context: SubgraphContext,
  tx: Transaction,
  { token, ...seen }: Seen & { token: string },
) {
  const found = await requestIn(context, tx, seen, ['FULFILLED'])
  const now = context.clock.now().toISOString()
  if (found.version === seen.expectedVersion) {
    if (found.exportHash === null || found.exportHash !== hashOf(token))
      tx.fail('INVALID', 'token is not that of this request', 'token')
    if (found.downloadedAt !== null || found.exportExpiresAt! <= now)
      tx.fail('WRONG_STATUS', 'It was downloaded, or its 7 days are over: have it collected anew', 'id')
  }
  const changed = await tx.update(DataSubjectRequest, seen.id, seen.expectedVersion, { downloadedAt: now })
  // In the transaction: what cannot be recorded is not told.
  const read = { fields: ['content'], ids: [found.id] }
  tx.audit({ action: 'VIEW', resourceType: 'DataSubjectRequest', resourceId: found.id, changes: { read } })
  const lines: string[] = []
  for (const subgraph of subgraphNames) {
    const rows = await readExport(context, tx, found.id, subgraph)
    if (!rows) tx.fail('WRONG_STATUS', 'What was collected is gone: have it collected anew', 'id')
    lines.push(...rows)
  }
  const content = lines.map((line) => `${line}\n`).join('')
  if (content.length > mostCharacters)
    tx.fail('INVALID', `The export has more than ${mostCharacters} characters: ask the operator for it`, 'id')
  return { dataSubjectRequest: changed, content }
}
