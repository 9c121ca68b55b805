import type { SubgraphContext } from '../../../kernel/context'
import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { requireOwnHand } from '../../../kernel/second-person'
import { prepared } from '../../../kernel/statement'
import { summary } from '../../../kernel/summary'
import { DataSubjectRequest } from '../entities/DataSubjectRequest'
import type { ComplianceUserErrorCode, Resolvers } from '../generated'
import { extendedMail, receivedMail, rejectedMail, tellRequester } from '../mails/subject-request'
import { factsOf, fieldOf, personOf, requireOnePerson, requireOther, wholePerson } from '../person'
import { answerMonths, extensionMonths, monthsLater, workingDay } from '../rules/deadline'
import { askSubgraphsOf, download, fulfil, givesExport, requestIn } from '../subject-requests'

type Column =
  | 'customerId'
  | 'employeeId'
  | 'userId'
  | 'receivedById'
  | 'verifiedById'
  | 'collectedById'
  | 'approvedById'
  | 'fulfilledById'
  | 'rejectedById'

/** The row of another subgraph whose id a column holds. */
const other = (column: Column) =>
  needs(DataSubjectRequest, [column], (row) => (row[column] ? { id: row[column] } : null))

/** The tenant's own day at an instant. */
const dayOf = async (tx: MutationTransaction<ComplianceUserErrorCode>, instant: string): Promise<string> =>
  String((await tx.rows(prepared('SELECT shared.own_day($1)::text', [instant])))[0]![0])

/** The day itself, or the next on which the tenant works: its weekends and the public holidays that its calendar has. */
async function nextWorkingDay(
  tx: MutationTransaction<ComplianceUserErrorCode>,
  day: string,
): Promise<string> {
  const [row] = await tx.rows(prepared('SELECT shared.public_holidays($1)', [day]))
  return workingDay(day, new Set(row![0] as string[]))
}

/** Values of a request that is collected anew: nobody has approved, done or taken it. */
const anew = {
  ...{ approvedById: null, approvedAt: null, fulfilledById: null, fulfilledAt: null, endedAt: null },
  ...{ receipt: null, exportHash: null, exportExpiresAt: null, downloadedAt: null, downloadedParts: 0 },
}

/** Ends the mutation when the viewer, or whoever could be the viewer, noted, verified or collected what is to be approved. */
async function requireSecond(
  context: SubgraphContext,
  tx: MutationTransaction<ComplianceUserErrorCode>,
  preparers: readonly (string | null)[],
): Promise<void> {
  if (preparers.includes(context.binding.actorId ?? ''))
    tx.fail('OWN_RECORD', 'Somebody else must approve it: you noted, verified or collected it', 'id')
  await requireOwnHand(context, tx, preparers, {
    ...{ code: 'SECOND_PERSON_NEEDED', field: 'id', isPrepared: true },
  })
}

export const dataSubjectRequest: Resolvers = {
  Query: {
    dataSubjectRequest: (_, { id }, context, info) => load(context, DataSubjectRequest, id, info),
    dataSubjectRequests: (_, args, context, info) => page(context, DataSubjectRequest, args, info),
    dataSubjectRequestSummary: (_, args, context, info) => summary(context, DataSubjectRequest, args, info),
  },
  Mutation: {
    receiveDataSubjectRequest: (_, { input: { receivedAt: given, ...input } }, context) =>
      mutate(context, async (tx) => {
        const now = context.clock.now().toISOString()
        const receivedAt = given ?? now
        if (receivedAt > now) tx.fail('INVALID', 'receivedAt must not be in the future', 'receivedAt')
        const field = fieldOf[input.subjectType]
        if (!input[field] && (input.customerId || input.employeeId || input.userId))
          tx.fail('INVALID', `${field} must say who it is, where anybody is named`, field)
        const dueDate = await nextWorkingDay(tx, monthsLater(await dayOf(tx, receivedAt), answerMonths))
        const receivedById = context.binding.actorId!
        const values = { ...input, receivedAt, receivedById, dueDate }
        const added = await tx.insert(DataSubjectRequest, values)
        await tellRequester(tx, added, receivedMail(added))
        return { dataSubjectRequest: added }
      }),
    verifyDataSubjectRequest: (_, { input: { verification, ...input } }, context) =>
      mutate(context, async (tx) => {
        const { id, expectedVersion, ...named } = input
        const { found, isSeen } = await requestIn(context, tx, { id, expectedVersion }, ['RECEIVED'])
        const person = isSeen ? personOf(tx, found, named) : null
        const facts = person && (await factsOf(tx, person, found.requesterEmail))
        if (facts) {
          requireOnePerson(tx, person, facts)
          await requireOther(context, tx, person, facts)
        }
        const verifiedAt = context.clock.now().toISOString()
        const by = { verifiedById: context.binding.actorId!, verifiedAt, verification }
        const whole = facts && { ...wholePerson(person, facts), isAddressKnown: facts.isAddressKnown }
        const changes = { ...by, ...whole, status: 'VERIFIED' } as const
        return { dataSubjectRequest: await tx.update(DataSubjectRequest, id, expectedVersion, changes) }
      }),
    collectDataSubjectRequest: (_, { input: seen }, context) =>
      mutate(context, async (tx) => {
        const statuses = ['VERIFIED', 'COLLECTING', 'REVIEW', 'FULFILLED'] as const
        const { found, facts, isSeen } = await requestIn(context, tx, seen, statuses)
        const isOver = !givesExport(found) || found.shreddedAt !== null
        if (isSeen && found.status === 'FULFILLED' && isOver)
          tx.fail('WRONG_STATUS', 'It is done, and its time is over: receive a new request', 'id')
        // A login may have been made, or an address changed, since it was verified.
        const person = { ...wholePerson(found, facts), isAddressKnown: facts.isAddressKnown }
        const taskId = isSeen ? await askSubgraphsOf(context, tx, { ...found, ...person }, false) : null
        const by = { collectedById: context.binding.actorId!, ...person, ...anew }
        const changes = { ...by, status: 'COLLECTING', taskId, answered: 0 } as const
        return {
          dataSubjectRequest: await tx.update(DataSubjectRequest, seen.id, seen.expectedVersion, changes),
        }
      }),
    approveDataSubjectRequest: (_, { input: seen }, context) =>
      mutate(context, async (tx) => {
        const { found, facts, isSeen } = await requestIn(context, tx, seen, ['REVIEW'])
        const approvedById = context.binding.actorId!
        if (isSeen)
          await requireSecond(context, tx, [found.receivedById, found.verifiedById, found.collectedById])
        if (isSeen && found.approvedById !== null) tx.fail('WRONG_STATUS', 'It is approved already', 'id')
        if (isSeen && found.isAddressKnown !== facts.isAddressKnown)
          tx.fail('WRONG_STATUS', 'The addresses on record have changed since: have it collected anew', 'id')
        const changes = { approvedById, approvedAt: context.clock.now().toISOString() }
        return {
          dataSubjectRequest: await tx.update(DataSubjectRequest, seen.id, seen.expectedVersion, changes),
        }
      }),
    fulfilDataSubjectRequest: (_, { input }, context) => mutate(context, (tx) => fulfil(context, tx, input)),
    rejectDataSubjectRequest: (_, { input: { legalGround, ...seen } }, context) =>
      mutate(context, async (tx) => {
        const { found } = await requestIn(context, tx, seen, ['RECEIVED', 'VERIFIED', 'REVIEW'])
        const endedAt = context.clock.now().toISOString()
        const by = { rejectedById: context.binding.actorId!, legalGround, endedAt }
        const changes = { ...by, status: 'REJECTED' } as const
        const rejected = await tx.update(DataSubjectRequest, seen.id, seen.expectedVersion, changes)
        await tellRequester(tx, found, rejectedMail(found, legalGround))
        return { dataSubjectRequest: rejected }
      }),
    extendDataSubjectRequest: (_, { input: { extensionReason, ...seen } }, context) =>
      mutate(context, async (tx) => {
        const statuses = ['RECEIVED', 'VERIFIED', 'COLLECTING', 'REVIEW'] as const
        const { found, isSeen } = await requestIn(context, tx, seen, statuses)
        const today = await dayOf(tx, context.clock.now().toISOString())
        if (isSeen && found.extendedTo !== null) tx.fail('WRONG_STATUS', 'It was extended already', 'id')
        if (isSeen && today > found.dueDate)
          tx.fail('WRONG_STATUS', `Its time was over on ${found.dueDate}: answer it at once`, 'id')
        const last = monthsLater(await dayOf(tx, found.receivedAt), answerMonths + extensionMonths)
        const extendedTo = await nextWorkingDay(tx, last)
        const changes = { extendedTo, extensionReason }
        const extended = await tx.update(DataSubjectRequest, seen.id, seen.expectedVersion, changes)
        await tellRequester(tx, found, extendedMail({ ...found, extendedTo, extensionReason }))
        return { dataSubjectRequest: extended }
      }),
    downloadDataSubjectRequest: (_, { input }, context) =>
      mutate(context, (tx) => download(context, tx, input)),
  },
  DataSubjectRequest: {
    customer: other('customerId'),
    employee: other('employeeId'),
    user: other('userId'),
    receivedBy: other('receivedById'),
    verifiedBy: other('verifiedById'),
    collectedBy: other('collectedById'),
    approvedBy: other('approvedById'),
    fulfilledBy: other('fulfilledById'),
    rejectedBy: other('rejectedById'),
  },
}
