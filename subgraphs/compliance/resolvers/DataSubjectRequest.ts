import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { mutate } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { summary } from '../../../kernel/summary'
import { DataSubjectRequest } from '../entities/DataSubjectRequest'
import type { Resolvers } from '../generated'
import { answerMonths, extensionMonths, monthsLater } from '../rules/deadline'
import { askSubgraphsOf, download, fulfil, requestIn } from '../subject-requests'

type UserColumn = 'verifiedById' | 'collectedById' | 'approvedById' | 'fulfilledById' | 'rejectedById'

const user = (column: UserColumn) =>
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
    verifyDataSubjectRequest: (_, { input: { subjectId, verification, ...seen } }, context) =>
      mutate(context, async (tx) => {
        const found = await requestIn(context, tx, seen, ['RECEIVED'])
        const id = subjectId ?? found.subjectId
        if (!id) tx.fail('INVALID', 'subjectId must say who the person is', 'subjectId')
        if (found.subjectId && subjectId && found.subjectId !== subjectId)
          tx.fail('INVALID', 'subjectId is another person than the request is about', 'subjectId')
        const verifiedAt = context.clock.now().toISOString()
        const by = { verifiedById: context.binding.actorId!, verifiedAt, verification }
        const changes = { ...by, status: 'VERIFIED', subjectId: id } as const
        return {
          dataSubjectRequest: await tx.update(DataSubjectRequest, seen.id, seen.expectedVersion, changes),
        }
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
    verifiedBy: user('verifiedById'),
    collectedBy: user('collectedById'),
    approvedBy: user('approvedById'),
    fulfilledBy: user('fulfilledById'),
    rejectedBy: user('rejectedById'),
  },
}
