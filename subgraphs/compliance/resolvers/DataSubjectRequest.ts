import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { mutate } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { summary } from '../../../kernel/summary'
import { DataSubjectRequest } from '../entities/DataSubjectRequest'
import type { Resolvers } from '../generated'
import { answerMonths, extensionMonths, monthsLater } from '../rules/deadline'
import { askSubgraphsOf, download, fulfil, requestIn } from '../subject-requests'

type Column =
  | 'customerId'
  | 'employeeId'
  | 'userId'
  | 'verifiedById'
  | 'collectedById'
  | 'approvedById'
  | 'fulfilledById'
  | 'rejectedById'

/** The row of another subgraph whose id a column holds. */
const other = (column: Column) =>
  needs(DataSubjectRequest, [column], (row) => (row[column] ? { id: row[column] } : null))

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
        const dueDate = monthsLater(receivedAt.slice(0, 10), answerMonths)
        return {
          dataSubjectRequest: await tx.insert(DataSubjectRequest, { ...input, receivedAt, dueDate }),
        }
      }),
    verifyDataSubjectRequest: (_, { input: { verification, ...input } }, context) =>
      mutate(context, async (tx) => {
        const { id, expectedVersion, ...named } = input
        const found = await requestIn(context, tx, { id, expectedVersion }, ['RECEIVED'])
        const people = {
          customerId: named.customerId ?? found.customerId,
          employeeId: named.employeeId ?? found.employeeId,
          userId: named.userId ?? found.userId,
        }
        if (found.version === expectedVersion && Object.values(people).every((one) => one === null))
          tx.fail('INVALID', 'One of customerId, employeeId, userId must say who it is', 'customerId')
        const verifiedAt = context.clock.now().toISOString()
        const by = { verifiedById: context.binding.actorId!, verifiedAt, verification }
        const changes = { ...by, ...people, status: 'VERIFIED' } as const
        return { dataSubjectRequest: await tx.update(DataSubjectRequest, id, expectedVersion, changes) }
      }),
    collectDataSubjectRequest: (_, { input: seen }, context) =>
      mutate(context, async (tx) => {
        const found = await requestIn(context, tx, seen, ['VERIFIED', 'REVIEW'])
        const isSeen = found.version === seen.expectedVersion
        const taskId = isSeen ? await askSubgraphsOf(context, tx, found, 'COLLECT') : null
        const nobody = { approvedById: null, approvedAt: null }
        const by = { collectedById: context.binding.actorId!, ...nobody }
        const changes = { ...by, status: 'COLLECTING', taskId, answered: 0 } as const
        return {
          dataSubjectRequest: await tx.update(DataSubjectRequest, seen.id, seen.expectedVersion, changes),
        }
      }),
    approveDataSubjectRequest: (_, { input: seen }, context) =>
      mutate(context, async (tx) => {
        const found = await requestIn(context, tx, seen, ['REVIEW'])
        const approvedById = context.binding.actorId!
        const isOwn = found.verifiedById === approvedById || found.collectedById === approvedById
        if (found.version === seen.expectedVersion && isOwn)
          tx.fail('OWN_RECORD', 'Somebody else must approve it: you verified or collected it', 'id')
        if (found.version === seen.expectedVersion && found.approvedById !== null)
          tx.fail('WRONG_STATUS', 'It is approved already', 'id')
        const changes = { approvedById, approvedAt: context.clock.now().toISOString() }
        return {
          dataSubjectRequest: await tx.update(DataSubjectRequest, seen.id, seen.expectedVersion, changes),
        }
      }),
    fulfilDataSubjectRequest: (_, { input }, context) => mutate(context, (tx) => fulfil(context, tx, input)),
    rejectDataSubjectRequest: (_, { input: { legalGround, ...seen } }, context) =>
      mutate(context, async (tx) => {
        await requestIn(context, tx, seen, ['RECEIVED', 'VERIFIED', 'REVIEW'])
        const endedAt = context.clock.now().toISOString()
        const by = { rejectedById: context.binding.actorId!, legalGround, endedAt }
        const changes = { ...by, status: 'REJECTED' } as const
        return {
          dataSubjectRequest: await tx.update(DataSubjectRequest, seen.id, seen.expectedVersion, changes),
        }
      }),
    extendDataSubjectRequest: (_, { input: { extensionReason, ...seen } }, context) =>
      mutate(context, async (tx) => {
        const found = await requestIn(context, tx, seen, ['RECEIVED', 'VERIFIED', 'COLLECTING', 'REVIEW'])
        const today = context.clock.now().toISOString().slice(0, 10)
        if (found.version === seen.expectedVersion && found.extendedTo !== null)
          tx.fail('WRONG_STATUS', 'It was extended already', 'id')
        if (found.version === seen.expectedVersion && today > found.dueDate)
          tx.fail('WRONG_STATUS', `Its time was over on ${found.dueDate}: answer it at once`, 'id')
        const day = found.receivedAt.slice(0, 10)
        const changes = { extendedTo: monthsLater(day, answerMonths + extensionMonths), extensionReason }
        return {
          dataSubjectRequest: await tx.update(DataSubjectRequest, seen.id, seen.expectedVersion, changes),
        }
      }),
    downloadDataSubjectRequest: (_, { input }, context) =>
      mutate(context, (tx) => download(context, tx, input)),
  },
  DataSubjectRequest: {
    customer: other('customerId'),
    employee: other('employeeId'),
    user: other('userId'),
    verifiedBy: other('verifiedById'),
    collectedBy: other('collectedById'),
    approvedBy: other('approvedById'),
    fulfilledBy: other('fulfilledById'),
    rejectedBy: other('rejectedById'),
  },
}
