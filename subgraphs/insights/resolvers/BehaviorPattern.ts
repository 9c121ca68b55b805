import type { SubgraphContext } from '../../../kernel/context'
import { needs } from '../../../kernel/entity'
import { isUuid } from '../../../kernel/id'
import { load } from '../../../kernel/load'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { rowsByKey } from '../../../kernel/query'
import { one } from '../../../kernel/relation'
import { prepared } from '../../../kernel/statement'
import { BehaviorPattern } from '../entities/BehaviorPattern'
import { Customer } from '../entities/Customer'
import { CustomerInteraction } from '../entities/CustomerInteraction'
import type { InsightsUserErrorCode, Resolvers } from '../generated'

type Tx = MutationTransaction<InsightsUserErrorCode>

const lastSeenFirst = { defaultOrder: { property: 'detectedAt', direction: 'DESC' } } as const
const mostEvidence = 100

const evidence = rowsByKey(
  CustomerInteraction,
  `SELECT p.id, unnest(p.customer_interaction_ids) FROM insights.behavior_patterns p
    WHERE p.tenant_id = $1 AND p.id = ANY ($2)`,
  'occurredAt',
)

/** The customer's row is the one that all who detect something of a customer wait for. */
const lockCustomer = `SELECT FROM insights.customers
  WHERE tenant_id = $1 AND id = $2 AND erased_at IS NULL FOR NO KEY UPDATE`
const countInteractions =
  'SELECT count(*)::int FROM insights.customer_interactions WHERE tenant_id = $1 AND id = ANY ($2)'
const makeRoom = `UPDATE insights.behavior_patterns SET deleted_at = $4, updated_at = now()
  WHERE tenant_id = $1 AND customer_id = $2 AND pattern_type = $3 AND deleted_at IS NULL AND lapses_at <= $4`
const findLive = `SELECT id FROM insights.behavior_patterns
  WHERE tenant_id = $1 AND customer_id = $2 AND pattern_type = $3 AND deleted_at IS NULL`

export const behaviorPattern: Resolvers = {
  Query: {
    behaviorPattern: (_, { id }, context, info) => load(context, BehaviorPattern, id, info),
    behaviorPatterns: (_, args, context, info) => page(context, BehaviorPattern, args, info, lastSeenFirst),
  },
  Mutation: {
    detectPattern: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const { validUntil, ...values } = input
        const now = context.clock.now()
        if (validUntil && Date.parse(validUntil) <= now.getTime())
          tx.fail('INVALID', 'validUntil must be later than now', 'validUntil')
        await requireCustomer(context, tx, input.customerId)
        await requireInteractions(context, tx, input.customerInteractionIds ?? [])
        const key = [context.binding.tenantId, input.customerId, input.patternType]
        await tx.run(prepared(makeRoom, [...key, now.toISOString()]))
        const [known] = await tx.rows(prepared(findLive, key))
        const pattern = {
          ...values,
          confidence: Math.round(input.confidence * 10_000) / 10_000,
          detectedAt: now.toISOString(),
          lapsesAt: validUntil,
        }
        if (!known) return { behaviorPattern: await tx.insert(BehaviorPattern, pattern), isNew: true }
        const { customerId: _customer, patternType: _type, ...changes } = pattern
        return {
          behaviorPattern: await tx.update(BehaviorPattern, known[0] as string, null, changes),
          isNew: false,
        }
      }),
    dismissPattern: (_, { input: { id, expectedVersion, reason } }, context) =>
      mutate(context, async (tx) => {
        if (reason === '') tx.fail('INVALID', 'reason must say why', 'reason')
        const changes = { deletedAt: context.clock.now().toISOString(), dismissReason: reason }
        return { behaviorPattern: await tx.update(BehaviorPattern, id, expectedVersion, changes) }
      }),
  },
  BehaviorPattern: {
    customer: one(BehaviorPattern, 'customerId', Customer),
    evidence: ({ id }, _args, context, info) => evidence(context, id, info),
    validUntil: needs(BehaviorPattern, ['lapsesAt'], ({ lapsesAt }) => lapsesAt),
  },
  Customer: {
    patterns: ({ id }, args, context, info) =>
      nested(context, BehaviorPattern, 'customerId', id, args, info, lastSeenFirst),
  },
}

/** Ends the mutation unless the tenant has the customer, whose row is locked until the transaction ends. */
async function requireCustomer(context: SubgraphContext, tx: Tx, id: string): Promise<void> {
  if (!isUuid(id)) tx.fail('REFERENCE_NOT_FOUND', 'customerId is not an id', 'customerId')
  const found = await tx.rows(prepared(lockCustomer, [context.binding.tenantId, id]))
  if (found.length === 0) tx.fail('REFERENCE_NOT_FOUND', 'customerId does not exist', 'customerId')
}

async function requireInteractions(context: SubgraphContext, tx: Tx, ids: readonly string[]): Promise<void> {
  const field = 'customerInteractionIds'
  const wanted = [...new Set(ids.map((id) => id.toLowerCase()))]
  if (wanted.length === 0) return
  if (wanted.length > mostEvidence) tx.fail('INVALID', `${field} must have at most ${mostEvidence}`, field)
  if (!wanted.every(isUuid)) tx.fail('REFERENCE_NOT_FOUND', `${field} has one that is not an id`, field)
  const [row] = await tx.rows(prepared(countInteractions, [context.binding.tenantId, wanted]))
  if (row![0] !== wanted.length) tx.fail('REFERENCE_NOT_FOUND', `${field} has one that does not exist`, field)
}
