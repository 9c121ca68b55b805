import { needs } from '../../../kernel/entity'
import { isUuid } from '../../../kernel/id'
import { load } from '../../../kernel/load'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { requireOwnHand } from '../../../kernel/second-person'
import { prepared } from '../../../kernel/statement'
import { HeldSubject } from '../entities/HeldSubject'
import { LegalHold, type HoldStatus } from '../entities/LegalHold'
import type { ComplianceUserErrorCode, HeldSubjectInput, Resolvers } from '../generated'

type Transaction = MutationTransaction<ComplianceUserErrorCode>

const latest = { defaultOrder: { property: 'createdAt', direction: 'DESC' } } as const
const mostSubjects = 100

const addGuard = 'INSERT INTO shared.hold_guards (holds) VALUES (0) ON CONFLICT (tenant_id) DO NOTHING'
/** Waits for what is being removed, and has what comes after see the hold. */
const changeGuard = 'UPDATE shared.hold_guards SET holds = holds + 1 WHERE tenant_id = $1'
const heldBy = `SELECT resource_type, resource_id FROM shared.held_subjects
  WHERE tenant_id = $1 AND hold_id = $2 AND released_at IS NULL`
const releaseSubjects =
  'UPDATE shared.held_subjects SET released_at = $3 WHERE tenant_id = $1 AND hold_id = $2 AND released_at IS NULL'

/** Has a hold keep things. Nothing is being removed meanwhile: it is held, or was gone before. */
async function hold(
  tx: Transaction,
  { tenantId, id }: LegalHold,
  subjects: readonly HeldSubjectInput[],
): Promise<void> {
  if (subjects.length === 0 || subjects.length > mostSubjects)
    tx.fail('INVALID', `subjects must be 1 to ${mostSubjects}`, 'subjects')
  for (const { resourceId } of subjects)
    if (resourceId && !isUuid(resourceId))
      tx.fail('INVALID', 'subjects must have UUIDs as resourceId', 'subjects')
  const known = await tx.rows(prepared(heldBy, [tenantId, id]))
  const isKnown = ({ resourceType, resourceId }: HeldSubjectInput) =>
    known.some(([type, one]) => type === resourceType && one === (resourceId?.toLowerCase() ?? null))
  const added = subjects.filter((subject) => !isKnown(subject))
  if (added.length === 0) return
  await tx.run(prepared(addGuard, []))
  await tx.run(prepared(changeGuard, [tenantId]))
  const rows = added.map(({ resourceType, resourceId }) => ({
    ...{ holdId: id, resourceType, resourceId: resourceId ?? null },
  }))
  await tx.insertAll(HeldSubject, rows)
}

/** The hold, locked, which must have this status; of a version that nobody saw nothing is judged. */
async function holdIn(
  tx: Transaction,
  { id, expectedVersion }: { id: string; expectedVersion: number },
  statuses: readonly HoldStatus[],
): Promise<LegalHold> {
  const found = await tx.find(LegalHold, id)
  if (found.version === expectedVersion && !statuses.includes(found.status))
    tx.fail('WRONG_STATUS', `A hold that is ${found.status} cannot have this done`, 'id')
  return found
}

const user = (id: string | null) => (id ? { id } : null)

export const legalHold: Resolvers = {
  Query: {
    legalHold: (_, { id }, context, info) => load(context, LegalHold, id, info),
    legalHolds: (_, args, context, info) => page(context, LegalHold, args, info),
    heldSubject: (_, { id }, context, info) => load(context, HeldSubject, id, info),
    heldSubjects: (_, args, context, info) => page(context, HeldSubject, args, info, latest),
  },
  Mutation: {
    placeLegalHold: (_, { input: { subjects, ...values } }, context) =>
      mutate(context, async (tx) => {
        const placed = await tx.insert(LegalHold, { ...values, placedById: context.binding.actorId! })
        await hold(tx, placed, subjects)
        return { legalHold: placed }
      }),
    extendLegalHold: (_, { input: { id, expectedVersion, subjects } }, context) =>
      mutate(context, async (tx) => {
        await holdIn(tx, { id, expectedVersion }, ['ACTIVE', 'RELEASE_PROPOSED'])
        // Whoever proposed the release had not seen this.
        const changes = { status: 'ACTIVE', releaseProposedById: null, releaseReason: null } as const
        const extended = await tx.update(LegalHold, id, expectedVersion, changes)
        await hold(tx, extended, subjects)
        return { legalHold: extended }
      }),
    proposeHoldRelease: (_, { input: { releaseReason, ...seen } }, context) =>
      mutate(context, async (tx) => {
        await holdIn(tx, seen, ['ACTIVE'])
        const changes = {
          status: 'RELEASE_PROPOSED',
          releaseReason,
          releaseProposedById: context.binding.actorId!,
        } as const
        return { legalHold: await tx.update(LegalHold, seen.id, seen.expectedVersion, changes) }
      }),
    withdrawHoldRelease: (_, { input }, context) =>
      mutate(context, async (tx) => {
        await holdIn(tx, input, ['RELEASE_PROPOSED'])
        const changes = { status: 'ACTIVE', releaseReason: null, releaseProposedById: null } as const
        return { legalHold: await tx.update(LegalHold, input.id, input.expectedVersion, changes) }
      }),
    releaseLegalHold: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const found = await holdIn(tx, input, ['RELEASE_PROPOSED'])
        const releasedById = context.binding.actorId!
        if (found.version === input.expectedVersion && found.releaseProposedById === releasedById)
          tx.fail('OWN_RECORD', 'Somebody else must release it: you proposed it', 'id')
        if (found.version === input.expectedVersion)
          await requireOwnHand(context, tx, [found.releaseProposedById], {
            ...{ code: 'OWN_RECORD', field: 'id', isPrepared: true },
          })
        const releasedAt = context.clock.now().toISOString()
        const changes = { status: 'RELEASED', releasedById, releasedAt } as const
        const released = await tx.update(LegalHold, input.id, input.expectedVersion, changes)
        await tx.run(prepared(releaseSubjects, [released.tenantId, released.id, releasedAt]))
        return { legalHold: released }
      }),
  },
  LegalHold: {
    subjects: needs(LegalHold, ['id'], ({ id }, args, context, info) =>
      nested(context, HeldSubject, 'holdId', id, args, info, latest),
    ),
    placedBy: needs(LegalHold, ['placedById'], ({ placedById }) => user(placedById)),
    releaseProposedBy: needs(LegalHold, ['releaseProposedById'], ({ releaseProposedById }) =>
      user(releaseProposedById),
    ),
    releasedBy: needs(LegalHold, ['releasedById'], ({ releasedById }) => user(releasedById)),
  },
  HeldSubject: { hold: one(HeldSubject, 'holdId', LegalHold) },
}
