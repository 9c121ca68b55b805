import { needs } from '../../../kernel/entity'
import { uuidv7 } from '../../../kernel/id'
import { load } from '../../../kernel/load'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { countDue, retentionDefaults } from '../../../kernel/retention'
import { requireOwnHand } from '../../../kernel/second-person'
import { prepared } from '../../../kernel/statement'
import { RetentionPolicy, type RetentionUnit } from '../entities/RetentionPolicy'
import { RetentionReceipt } from '../entities/RetentionReceipt'
import type { ComplianceUserErrorCode, Resolvers } from '../generated'
import { retained } from '../retained'
import { isShorter, noticeDays, reachesYears } from '../rules/retention'

type Transaction = MutationTransaction<ComplianceUserErrorCode>

const day = 86_400_000
const latest = { defaultOrder: { property: 'createdAt', direction: 'DESC' } } as const

const lastRule = `SELECT keep_for, unit, effective_at FROM shared.retention_rules
  WHERE tenant_id = $1 AND data_class = $2 ORDER BY effective_at DESC, id DESC LIMIT 1`
const addRule = `INSERT INTO shared.retention_rules (id, data_class, keep_for, unit, effective_at) VALUES ($1, $2, $3, $4, $5)`

/** The policy, locked, which must be proposed still; of a version that nobody saw nothing is judged. */
async function proposed(
  tx: Transaction,
  { id, expectedVersion }: { id: string; expectedVersion: number },
): Promise<RetentionPolicy> {
  const policy = await tx.find(RetentionPolicy, id)
  if (policy.version === expectedVersion && policy.status !== 'PROPOSED')
    tx.fail('WRONG_STATUS', `A policy that is ${policy.status} cannot have this done`, 'id')
  return policy
}

/** From when a policy is in force: at once, or with notice where data would go sooner than by the one before. */
async function effectiveFrom(tx: Transaction, policy: RetentionPolicy, now: Date): Promise<string> {
  const [row] = await tx.rows(prepared(lastRule, [policy.tenantId, policy.dataClass]))
  const [keepFor, unit, since] = (row ?? []) as [number?, RetentionUnit?, string?]
  const before =
    keepFor === undefined || unit === undefined ? retentionDefaults[policy.dataClass] : { keepFor, unit }
  const at = new Date(now.getTime() + (isShorter(policy, before) ? noticeDays * day : 0))
  // One that is not in force yet is followed, not overtaken.
  return (since && Date.parse(since) > at.getTime() ? new Date(since) : at).toISOString()
}

export const retentionPolicy: Resolvers = {
  Query: {
    retentionPolicy: (_, { id }, context, info) => load(context, RetentionPolicy, id, info),
    retentionPolicies: (_, args, context, info) => page(context, RetentionPolicy, args, info),
    retentionReceipt: (_, { id }, context, info) => load(context, RetentionReceipt, id, info),
    retentionReceipts: (_, args, context, info) => page(context, RetentionReceipt, args, info, latest),
    retentionPreview: (_, { at }, context) =>
      countDue(
        (statement) => context.db.rows(context.binding, statement),
        context.binding.tenantId!,
        retained,
        at,
      ),
  },
  Mutation: {
    proposeRetentionPolicy: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const { floorYears } = retentionDefaults[input.dataClass]
        if (!reachesYears(input.keepFor, input.unit, floorYears))
          tx.fail('INVALID', `keepFor must be at least ${floorYears} years: the law demands it`, 'keepFor')
        const policy = { ...input, proposedById: context.binding.actorId! }
        return { retentionPolicy: await tx.insert(RetentionPolicy, policy) }
      }),
    approveRetentionPolicy: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        const policy = await proposed(tx, { id, expectedVersion })
        const approvedById = context.binding.actorId!
        if (policy.version === expectedVersion && policy.proposedById === approvedById)
          tx.fail('OWN_RECORD', 'Somebody else must approve it: you proposed it', 'id')
        if (policy.version === expectedVersion)
          await requireOwnHand(context, tx, [policy.proposedById], {
            ...{ code: 'OWN_RECORD', field: 'id', isPrepared: true },
          })
        const now = context.clock.now()
        const effectiveAt = await effectiveFrom(tx, policy, now)
        const changes = { status: 'APPROVED', approvedById, effectiveAt } as const
        const approved = await tx.update(RetentionPolicy, id, expectedVersion, changes)
        const { dataClass, keepFor, unit } = approved
        await tx.run(prepared(addRule, [uuidv7(now.getTime()), dataClass, keepFor, unit, effectiveAt]))
        return { retentionPolicy: approved }
      }),
    withdrawRetentionPolicy: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        await proposed(tx, { id, expectedVersion })
        const changes = { status: 'WITHDRAWN' } as const
        return { retentionPolicy: await tx.update(RetentionPolicy, id, expectedVersion, changes) }
      }),
  },
  RetentionPolicy: {
    legalFloorYears: needs(
      RetentionPolicy,
      ['dataClass'],
      ({ dataClass }) => retentionDefaults[dataClass].floorYears,
    ),
    proposedBy: needs(RetentionPolicy, ['proposedById'], ({ proposedById }) => ({ id: proposedById })),
    approvedBy: needs(RetentionPolicy, ['approvedById'], ({ approvedById }) =>
      approvedById ? { id: approvedById } : null,
    ),
  },
}
