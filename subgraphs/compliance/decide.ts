import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction, Values } from '../../kernel/mutate'
import { requireOwnHand } from '../../kernel/second-person'
import { ComplianceDecision } from './entities/ComplianceDecision'
import { ComplianceRecord } from './entities/ComplianceRecord'
import type { ComplianceUserErrorCode } from './generated'
import { contentDigest, newDigestKey } from './digest'
import { act, preparersOf, type Action, type Decision, type Status } from './rules/review'

type Transaction = MutationTransaction<ComplianceUserErrorCode>

/** The status that the user's action leads to; ends the mutation when it may not be. A version that nobody saw is not judged. */
export async function outcomeOf(
  context: SubgraphContext,
  tx: Transaction,
  record: ComplianceRecord,
  expectedVersion: number,
  userId: string,
  action: Action,
): Promise<Status> {
  const found = act(record, userId, action)
  if (!('fault' in found)) {
    const told = { code: 'OWN_RECORD', field: 'id', isPrepared: true } as const
    if (record.version === expectedVersion)
      await requireOwnHand(context, tx, preparersOf(record, action), told)
    return found.status
  }
  // Answered with STALE_VERSION by the update.
  if (record.version === expectedVersion) tx.fail(found.fault.code, found.fault.message, 'id')
  return record.status
}

/** Appends a decision about a record: who decided what, why, and a digest of the content that was seen. */
export async function writeDecision(
  tx: Transaction,
  record: ComplianceRecord,
  decision: Pick<ComplianceDecision, 'action' | 'toStatus' | 'rationale' | 'decidedById'> & {
    matchId?: string
  },
  digestKey: string,
): Promise<void> {
  await tx.insert(ComplianceDecision, {
    ...decision,
    recordId: record.id,
    fromStatus: record.status,
    recordVersion: record.version,
    contentDigest: contentDigest(digestKey, record),
  })
}

/**
 * Decides about a record as it stands at the version given.
 * @param changesOf what the decision changes besides status and reviewer; may end the mutation
 */
export async function decideRecord(
  tx: Transaction,
  context: SubgraphContext,
  input: { id: string; expectedVersion: number; rationale: string },
  action: Exclude<Decision, 'CLEAR_MATCH' | 'CONFIRM_MATCH'>,
  changesOf: (record: ComplianceRecord) => Values<ComplianceRecord> | Promise<Values<ComplianceRecord>>,
): Promise<{ complianceRecord: ComplianceRecord }> {
  const decidedById = context.binding.actorId!
  const record = await tx.find(ComplianceRecord, input.id)
  const status = await outcomeOf(context, tx, record, input.expectedVersion, decidedById, action)
  const isSeen = record.version === input.expectedVersion
  const digestKey = record.digestKey ?? newDigestKey()
  const changes = { status, reviewedById: decidedById, digestKey, ...(isSeen && (await changesOf(record))) }
  const complianceRecord = await tx.update(ComplianceRecord, input.id, input.expectedVersion, changes)
  await writeDecision(
    tx,
    record,
    { action, toStatus: status, rationale: input.rationale, decidedById },
    digestKey,
  )
  return { complianceRecord }
}
