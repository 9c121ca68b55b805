import type { SubgraphContext } from '../../../kernel/context'
import { needs } from '../../../kernel/entity'
import { enqueue } from '../../../kernel/jobs'
import { load } from '../../../kernel/load'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { summary } from '../../../kernel/summary'
import { decideRecord, outcomeOf } from '../decide'
import { ComplianceRecord } from '../entities/ComplianceRecord'
import type { ComplianceUserErrorCode, Resolvers } from '../generated'
import { screening } from '../jobs/screening'
import { newDigestKey } from '../digest'
import { endOfApproval } from '../rules/review'
import { standingMatches } from '../screening/screen-record'

type Transaction = MutationTransaction<ComplianceUserErrorCode>

const day = 86_400_000
/** Days until a record is to be decided, when nobody says otherwise. */
const daysToDecide = 14

/** The end of an approval: what is asked for, at the latest what follows from the risk. */
function endOf(
  tx: Transaction,
  { clock }: SubgraphContext,
  record: ComplianceRecord,
  asked: string | null | undefined,
): string {
  const latest = endOfApproval(clock.now(), record.riskScore)
  if (asked === null || asked === undefined) return latest.toISOString()
  const end = new Date(asked)
  if (end <= clock.now() || end > latest)
    tx.fail('INVALID', `expiresAt must be in the future, at the latest ${latest.toISOString()}`, 'expiresAt')
  return asked
}

/** No match of the last screening may be open or true when somebody is approved. */
async function requireNoMatches(tx: Transaction, record: ComplianceRecord): Promise<void> {
  const { open, confirmed } = await standingMatches(tx, record.tenantId, record.id)
  if (open + confirmed > 0)
    tx.fail(
      'OPEN_MATCHES',
      `Matches that are open: ${open}, confirmed: ${confirmed}. Decide them first`,
      'id',
    )
}

const withRaiser = ({ raisedByIds }: ComplianceRecord, userId: string) => [
  ...new Set([...raisedByIds, userId]),
]

export const complianceRecord: Resolvers = {
  Query: {
    complianceRecord: (_, { id }, context, info) => load(context, ComplianceRecord, id, info),
    complianceRecords: (_, args, context, info) => page(context, ComplianceRecord, args, info),
    complianceRecordSummary: (_, args, context, info) => summary(context, ComplianceRecord, args, info),
  },
  Mutation: {
    createComplianceRecord: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const dueAt = new Date(context.clock.now().getTime() + daysToDecide * day).toISOString()
        const record = {
          // The table's default would stand there in clear.
          metadata: {},
          dueAt,
          ...input,
          digestKey: newDigestKey(),
          preparedById: context.binding.actorId!,
        }
        return { complianceRecord: await tx.insert(ComplianceRecord, record) }
      }),
    updateComplianceRecord: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const { id, expectedVersion, ...content } = input
        const preparedById = context.binding.actorId!
        const record = await tx.find(ComplianceRecord, id)
        const status = await outcomeOf(context, tx, record, expectedVersion, preparedById, 'EDIT')
        const along = {
          status,
          preparedById,
          editorIds: [...new Set([...record.editorIds, preparedById])],
          raisedByIds: [],
          reviewedById: null,
          escalatedAt: null,
          escalatedToId: null,
          expiresAt: null,
          contentVersion: record.version + 1,
        }
        return { complianceRecord: await tx.update(ComplianceRecord, id, expectedVersion, content, along) }
      }),
    screenComplianceRecord: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        const record = await tx.find(ComplianceRecord, id)
        const status = await outcomeOf(
          context,
          tx,
          record,
          expectedVersion,
          context.binding.actorId!,
          'SCREEN',
        )
        const changed = await tx.update(ComplianceRecord, id, expectedVersion, { status })
        if (record.subjectName === null)
          tx.fail('NOT_SCREENED', 'Nobody is named: give subjectName, and nothing else is compared', 'id')
        await enqueue(context, tx, screening, { recordId: id, contentVersion: record.contentVersion })
        return { complianceRecord: changed }
      }),
    approveComplianceRecord: (_, { input }, context) =>
      mutate(context, (tx) =>
        decideRecord(tx, context, input, 'APPROVE', async (record) => {
          await requireNoMatches(tx, record)
          return { expiresAt: endOf(tx, context, record, input.expiresAt) }
        }),
      ),
    rejectComplianceRecord: (_, { input }, context) =>
      mutate(context, (tx) => decideRecord(tx, context, input, 'REJECT', () => ({}))),
    flagComplianceRecord: (_, { input }, context) =>
      mutate(context, (tx) =>
        decideRecord(tx, context, input, 'FLAG', (record) => ({
          raisedByIds: withRaiser(record, context.binding.actorId!),
        })),
      ),
    escalateComplianceRecord: (_, { input }, context) =>
      mutate(context, (tx) =>
        decideRecord(tx, context, input, 'ESCALATE', (record) => {
          const { escalatedToId } = input
          if (
            escalatedToId &&
            [record.createdById, ...record.editorIds, context.binding.actorId].includes(escalatedToId)
          )
            tx.fail(
              'OWN_RECORD',
              'Somebody else must decide than who prepared or escalates it',
              'escalatedToId',
            )
          return {
            raisedByIds: withRaiser(record, context.binding.actorId!),
            escalatedAt: context.clock.now().toISOString(),
            escalatedToId: escalatedToId ?? null,
          }
        }),
      ),
  },
  ComplianceRecord: {
    customer: needs(ComplianceRecord, ['customerId'], ({ customerId }) =>
      customerId ? { id: customerId } : null,
    ),
    employee: needs(ComplianceRecord, ['employeeId'], ({ employeeId }) =>
      employeeId ? { id: employeeId } : null,
    ),
    escalatedTo: needs(ComplianceRecord, ['escalatedToId'], ({ escalatedToId }) =>
      escalatedToId ? { id: escalatedToId } : null,
    ),
    createdBy: needs(ComplianceRecord, ['createdById'], ({ createdById }) => ({ id: createdById })),
    preparedBy: needs(ComplianceRecord, ['preparedById'], ({ preparedById }) => ({ id: preparedById })),
    reviewedBy: needs(ComplianceRecord, ['reviewedById'], ({ reviewedById }) =>
      reviewedById ? { id: reviewedById } : null,
    ),
  },
  Customer: {
    complianceRecords: ({ id }, args, context, info) =>
      nested(context, ComplianceRecord, 'customerId', id, args, info),
  },
  Employee: {
    complianceRecords: ({ id }, args, context, info) =>
      nested(context, ComplianceRecord, 'employeeId', id, args, info),
  },
}
