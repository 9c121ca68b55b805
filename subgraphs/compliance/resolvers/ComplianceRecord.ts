import type { SubgraphContext } from '../../shared/context'
import { needs } from '../../shared/entity'
import { load } from '../../shared/load'
import { mutate } from '../../shared/mutate'
import { page } from '../../shared/page'
import { ComplianceRecord } from '../entities/ComplianceRecord'
import type { ApproveComplianceRecordInput, Resolvers } from '../generated'
import { isOpen, reviewFault, type Decision } from '../rules/review'

/** The three decisions differ in the status they lead to. */
function decide(decision: Decision) {
  return (_: object, { input }: { input: ApproveComplianceRecordInput }, context: SubgraphContext) =>
    mutate(context, async (tx) => {
      const record = await tx.find(ComplianceRecord, input.id)
      const reviewer = context.binding.actorId!
      // A version that nobody saw is answered with STALE_VERSION by the update, not judged.
      const fault = record.version === input.expectedVersion && reviewFault(record, reviewer, decision)
      if (fault) tx.fail(fault.code, fault.message, 'id')
      const changes = { status: decision, reviewedById: reviewer }
      return {
        complianceRecord: await tx.update(ComplianceRecord, input.id, input.expectedVersion, changes),
      }
    })
}

export const complianceRecord: Resolvers = {
  Query: {
    complianceRecord: (_, { id }, context, info) => load(context, ComplianceRecord, id, info),
    complianceRecords: (_, args, context, info) => page(context, ComplianceRecord, args, info),
  },
  Mutation: {
    createComplianceRecord: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const record = { ...input, preparedById: context.binding.actorId! }
        return { complianceRecord: await tx.insert(ComplianceRecord, record) }
      }),
    updateComplianceRecord: (_, { input: { id, expectedVersion, ...content } }, context) =>
      mutate(context, async (tx) => {
        const { version, status } = await tx.find(ComplianceRecord, id)
        if (version === expectedVersion && !isOpen(status))
          tx.fail('WRONG_STATUS', `A record that is ${status} cannot be changed`, 'id')
        // What was decided, was decided about the content of before.
        const review = {
          status: 'PENDING',
          reviewedById: null,
          preparedById: context.binding.actorId!,
        } as const
        const changes = { ...content, ...review }
        return { complianceRecord: await tx.update(ComplianceRecord, id, expectedVersion, changes) }
      }),
    approveComplianceRecord: decide('APPROVED'),
    rejectComplianceRecord: decide('REJECTED'),
    flagComplianceRecord: decide('FLAGGED'),
  },
  ComplianceRecord: {
    createdBy: needs(ComplianceRecord, ['createdById'], ({ createdById }) => ({ id: createdById })),
    preparedBy: needs(ComplianceRecord, ['preparedById'], ({ preparedById }) => ({ id: preparedById })),
    reviewedBy: needs(ComplianceRecord, ['reviewedById'], ({ reviewedById }) =>
      reviewedById ? { id: reviewedById } : null,
    ),
  },
}
