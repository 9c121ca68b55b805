import type { SubgraphContext } from '../../../kernel/context'
import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { summary } from '../../../kernel/summary'
import { ComplianceRecord } from '../entities/ComplianceRecord'
import type { ApproveComplianceRecordInput, ComplianceUserErrorCode, Resolvers } from '../generated'
import { act, type Action } from '../rules/review'

/** Locks the record and tells what the viewer's action makes of it; ends the mutation when it may not be. */
async function outcome(
  tx: MutationTransaction<ComplianceUserErrorCode>,
  input: { id: string; expectedVersion: number },
  viewerId: string,
  action: Action,
) {
  const record = await tx.find(ComplianceRecord, input.id)
  const found = act(record, viewerId, action)
  if (!('fault' in found)) return { record, status: found.status }
  // A version that nobody saw is answered with STALE_VERSION by the update, not judged.
  if (record.version === input.expectedVersion) tx.fail(found.fault.code, found.fault.message, 'id')
  return { record, status: record.status }
}

/** The three decisions differ in the status they lead to. */
function decide(action: Exclude<Action, 'EDIT'>) {
  return (_: object, { input }: { input: ApproveComplianceRecordInput }, context: SubgraphContext) =>
    mutate(context, async (tx: MutationTransaction<ComplianceUserErrorCode>) => {
      const reviewedById = context.binding.actorId!
      const { status } = await outcome(tx, input, reviewedById, action)
      const changes = { status, reviewedById }
      return {
        complianceRecord: await tx.update(ComplianceRecord, input.id, input.expectedVersion, changes),
      }
    })
}

export const complianceRecord: Resolvers = {
  Query: {
    complianceRecord: (_, { id }, context, info) => load(context, ComplianceRecord, id, info),
    complianceRecords: (_, args, context, info) => page(context, ComplianceRecord, args, info),
    complianceRecordSummary: (_, args, context, info) => summary(context, ComplianceRecord, args, info),
  },
  Mutation: {
    createComplianceRecord: (_, { input }, context) =>
      mutate(context, async (tx) => {
        // The table's default would stand there in clear.
        const record = { metadata: {}, ...input, preparedById: context.binding.actorId! }
        return { complianceRecord: await tx.insert(ComplianceRecord, record) }
      }),
    updateComplianceRecord: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const { id, expectedVersion, ...content } = input
        const preparedById = context.binding.actorId!
        const { record, status } = await outcome(tx, input, preparedById, 'EDIT')
        const editorIds = [...new Set([...record.editorIds, preparedById])]
        const along = { status, preparedById, editorIds, reviewedById: null }
        return { complianceRecord: await tx.update(ComplianceRecord, id, expectedVersion, content, along) }
      }),
    approveComplianceRecord: decide('APPROVE'),
    rejectComplianceRecord: decide('REJECT'),
    flagComplianceRecord: decide('FLAG'),
  },
  ComplianceRecord: {
    createdBy: needs(ComplianceRecord, ['createdById'], ({ createdById }) => ({ id: createdById })),
    preparedBy: needs(ComplianceRecord, ['preparedById'], ({ preparedById }) => ({ id: preparedById })),
    reviewedBy: needs(ComplianceRecord, ['reviewedById'], ({ reviewedById }) =>
      reviewedById ? { id: reviewedById } : null,
    ),
  },
}
