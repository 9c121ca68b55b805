import { createHash, randomBytes } from 'node:crypto'
import type { SubgraphContext } from '../../kernel/context'
import { uuidv7 } from '../../kernel/id'
import { enqueue } from '../../kernel/jobs'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import { exportFiles, partsOf, readExportFile, subgraphNames } from '../../kernel/subjects'
import { DataSubjectRequest, type RequestStatus } from './entities/DataSubjectRequest'
import type { ComplianceUserErrorCode } from './generated'
import { subjectAnswers } from './jobs/subject-answers'
import { answeredMail, tellRequester } from './mails/subject-request'
import { factsOf, requireOther, type PersonFacts } from './person'
import { told } from './receipt'
import { downloadDays } from './rules/deadline'

type Transaction = MutationTransaction<ComplianceUserErrorCode>

export interface Seen {
  id: string
  expectedVersion: number
}

/** A request as a mutation finds it. */
export interface FoundRequest {
  found: DataSubjectRequest
  facts: PersonFacts
  /** Tells whether the caller saw this version: of another nothing is judged, and the change is refused. */
  isSeen: boolean
}

const day = 86_400_000
const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex')

/** The request, locked, which must have one of these statuses, with what is known of the person at this moment. */
export async function requestIn(
  context: SubgraphContext,
  tx: Transaction,
  { id, expectedVersion }: Seen,
  statuses: readonly RequestStatus[],
): Promise<FoundRequest> {
  const found = await tx.find(DataSubjectRequest, id)
  const isSeen = found.version === expectedVersion
  if (isSeen && !statuses.includes(found.status))
    tx.fail('WRONG_STATUS', `A request that is ${found.status} cannot have this done`, 'id')
  const facts = await factsOf(tx, found, found.requesterEmail)
  if (isSeen) await requireOther(context, tx, found, facts)
  return { found, facts, isSeen }
}

const typesOf = ({ collected }: DataSubjectRequest): { type: string }[] =>
  (collected as { types: { type: string }[] } | null)?.types ?? []

export const givesExport = ({ type }: DataSubjectRequest): boolean =>
  type === 'ACCESS' || type === 'PORTABILITY'

const addTask = `INSERT INTO shared.subject_tasks (id, request_id, purpose, customer_id, employee_id, user_id, made_until, asked_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
const askSubgraphs = 'SELECT shared.ask_subgraphs($1, $2::uuid[], $3)'

/**
 * Has every subgraph answer for its own rows, and somebody wait for the answers.
 * @param madeUntil of a later pass of an erasure: rows that were made afterwards are left alone
 */
export async function askSubgraphsOf(
  context: SubgraphContext,
  tx: Pick<Transaction, 'rows' | 'run'>,
  request: Pick<DataSubjectRequest, 'id' | 'type' | 'customerId' | 'employeeId' | 'userId'>,
  isErasing: boolean,
  madeUntil: string | null = null,
): Promise<string> {
  const { id, type, customerId, employeeId, userId } = request
  const now = context.clock.now()
  const [taskId, ...jobIds] = [0, ...subgraphNames].map(() => uuidv7(now.getTime()))
  const purpose = isErasing ? 'ERASE' : type === 'PORTABILITY' ? 'PORT' : 'COLLECT'
  const asked = [taskId, id, purpose, customerId, employeeId, userId, madeUntil, now.toISOString()]
  await tx.run(prepared(addTask, asked))
  await tx.rows(prepared(askSubgraphs, [taskId, jobIds, now.toISOString()]))
  const at = new Date(now.getTime() + 1_000)
  await enqueue(context, tx, subjectAnswers, { requestId: id, taskId: taskId!, tries: 1 }, { at })
  return taskId!
}

/** Ends the mutation where nobody approved it, or what the approval rested on is another by now. */
function requireApproval(tx: Transaction, { found, facts, isSeen }: FoundRequest): void {
  if (!isSeen || found.status !== 'REVIEW') return
  if (found.approvedById === null) tx.fail('WRONG_STATUS', 'Somebody else must approve it first', 'id')
  if (found.isAddressKnown !== facts.isAddressKnown)
    tx.fail(
      'WRONG_STATUS',
      'The addresses on record have changed since: look at isAddressKnown, and have it collected and approved anew',
      'id',
    )
}

/** Does what somebody else approved. */
export async function fulfil(
  context: SubgraphContext,
  tx: Transaction,
  { outcome, ...seen }: Seen & { outcome?: string | null },
) {
  // An erasure that was not answered is asked for anew: what is emptied already is left alone.
  const request = await requestIn(context, tx, seen, ['REVIEW', 'FULFILLING'])
  const { found, facts, isSeen } = request
  requireApproval(tx, request)
  const now = context.clock.now()
  const by = { fulfilledById: context.binding.actorId!, outcome: outcome ?? null }
  const instant = now.toISOString()
  const done = { ...by, status: 'FULFILLED', fulfilledAt: instant, endedAt: instant } as const
  const change = (changes: Partial<DataSubjectRequest>) =>
    tx.update(DataSubjectRequest, seen.id, seen.expectedVersion, changes)
  if (found.type === 'ERASURE') {
    if (!isSeen) return { dataSubjectRequest: await change(by), exportToken: null }
    if (facts.isActive)
      tx.fail(
        'WRONG_STATUS',
        'The account is in use: suspend it first, have it collected anew and approved',
        'id',
      )
    const taskId = await askSubgraphsOf(context, tx, found, true)
    const changes = { ...by, status: 'FULFILLING', taskId, answered: 0, lastPassAt: instant } as const
    return { dataSubjectRequest: await change(changes), exportToken: null }
  }
  if (!givesExport(found) && isSeen && !outcome)
    tx.fail('INVALID', 'outcome must say what was done', 'outcome')
  const exportToken = givesExport(found) ? randomBytes(32).toString('base64url') : null
  const exported = exportToken && {
    exportHash: hashOf(exportToken),
    exportExpiresAt: new Date(now.getTime() + downloadDays * day).toISOString(),
  }
  const receipt = exportToken ? { types: told(typesOf(found)) } : { outcome }
  const dataSubjectRequest = await change({ ...done, ...exported, receipt })
  await tellRequester(tx, found, answeredMail(found, { outcome }))
  return { dataSubjectRequest, exportToken }
}

/** Gives a part of what was collected, each once and in their order: whoever comes second finds it gone. */
export async function download(
  context: SubgraphContext,
  tx: Transaction,
  { token, part = 1, ...seen }: Seen & { token: string; part?: number },
) {
  const { found, isSeen } = await requestIn(context, tx, seen, ['FULFILLED'])
  const now = context.clock.now().toISOString()
  if (isSeen && (found.exportHash === null || found.exportHash !== hashOf(token)))
    tx.fail('INVALID', 'token is not that of this request', 'token')
  if (isSeen && (found.downloadedAt !== null || found.exportExpiresAt! <= now))
    tx.fail('WRONG_STATUS', 'It was downloaded, or its 7 days are over: have it collected anew', 'id')
  const files = await exportFiles(context, found.id)
  const parts = partsOf(files ?? [])
  if (isSeen && !files) tx.fail('WRONG_STATUS', 'What was collected is gone: have it collected anew', 'id')
  if (isSeen && part !== found.downloadedParts + 1)
    tx.fail(
      'INVALID',
      `part must be ${found.downloadedParts + 1}: each is given once, in their order`,
      'part',
    )
  const downloadedAt = part === parts.length ? now : null
  const changes = { downloadedParts: part, downloadedAt }
  const changed = await tx.update(DataSubjectRequest, seen.id, seen.expectedVersion, changes)
  // In the transaction: what cannot be recorded is not told.
  const read = { fields: ['content'], ids: [found.id] }
  tx.audit({ action: 'VIEW', resourceType: 'DataSubjectRequest', resourceId: found.id, changes: { read } })
  const rows: string[] = []
  for (const file of parts[part - 1]!) {
    const isLast = !files!.some(({ subgraph, number }) => subgraph === file.subgraph && number > file.number)
    const texts = await readExportFile(context, tx, found.id, file, isLast)
    if (!texts) tx.fail('WRONG_STATUS', 'What was collected is gone: have it collected anew', 'id')
    rows.push(...texts)
  }
  const head = {
    format: 'tenantgraph personal data 1',
    request: found.requestNumber,
    part,
    parts: parts.length,
  }
  const content = `${JSON.stringify(head).slice(0, -1)},"rows":[\n${rows.join(',\n')}\n]}\n`
  return { dataSubjectRequest: changed, content, parts: parts.length }
}
