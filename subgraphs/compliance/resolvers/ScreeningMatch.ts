import { needs } from '../../../kernel/entity'
import { isUuid } from '../../../kernel/id'
import { load } from '../../../kernel/load'
import { mutate } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { requireOwnHand } from '../../../kernel/second-person'
import { prepared } from '../../../kernel/statement'
import { outcomeOf, writeDecision } from '../decide'
import { ComplianceDecision } from '../entities/ComplianceDecision'
import { ComplianceRecord } from '../entities/ComplianceRecord'
import { ScreeningMatch } from '../entities/ScreeningMatch'
import type { Resolvers } from '../generated'
import { newDigestKey } from '../digest'
import { standingMatches } from '../screening/screen-record'

const latest = { defaultOrder: { property: 'createdAt', direction: 'DESC' } } as const

const recordOfMatch = 'SELECT record_id FROM compliance.screening_matches WHERE tenant_id = $1 AND id = $2'

export const screeningMatch: Resolvers = {
  Query: {
    screeningMatch: (_, { id }, context, info) => load(context, ScreeningMatch, id, info),
    screeningMatches: (_, args, context, info) => page(context, ScreeningMatch, args, info, latest),
    complianceDecision: (_, { id }, context, info) => load(context, ComplianceDecision, id, info),
    complianceDecisions: (_, args, context, info) => page(context, ComplianceDecision, args, info, latest),
  },
  Mutation: {
    decideScreeningMatch: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const { id, expectedVersion, decision, comment } = input
        const decidedById = context.binding.actorId!
        if (decision === 'OPEN')
          tx.fail('INVALID', 'decision must be FALSE_POSITIVE or TRUE_MATCH', 'decision')
        // The record first, as all others lock them.
        const [found] = isUuid(id)
          ? await tx.rows(prepared(recordOfMatch, [context.binding.tenantId, id]))
          : []
        const record = found && (await tx.find(ComplianceRecord, String(found[0])))
        const match = await tx.find(ScreeningMatch, id)
        const action = decision === 'TRUE_MATCH' ? 'CONFIRM_MATCH' : 'CLEAR_MATCH'
        const isSeen = match.version === expectedVersion
        const status = await outcomeOf(
          context,
          tx,
          record!,
          isSeen ? record!.version : -1,
          decidedById,
          action,
        )
        if (isSeen && match.decision === 'TRUE_MATCH' && match.decidedById === decidedById)
          tx.fail('OWN_RECORD', 'Somebody else must take it back: you confirmed this match', 'id')
        if (isSeen && match.decision === 'TRUE_MATCH')
          await requireOwnHand(context, tx, [match.decidedById], {
            ...{ code: 'OWN_RECORD', field: 'id', isPrepared: true },
          })
        if (
          isSeen &&
          match.decision !== 'OPEN' &&
          !(match.decision === 'TRUE_MATCH' && decision !== 'TRUE_MATCH')
        )
          tx.fail('WRONG_STATUS', `A match that is ${match.decision} cannot become ${decision}`, 'id')
        const decidedAt = context.clock.now().toISOString()
        const changes = { decision, comment, decidedById, decidedAt }
        const screeningMatch = await tx.update(ScreeningMatch, id, expectedVersion, changes)
        const { open } = await standingMatches(tx, match.tenantId, record!.id)
        // The last match that is cleared lets the record go on.
        const toStatus = action === 'CLEAR_MATCH' && open > 0 ? record!.status : status
        const digestKey = record!.digestKey ?? newDigestKey()
        await tx.update(ComplianceRecord, record!.id, null, { status: toStatus, digestKey })
        const told = { action, toStatus, rationale: comment, decidedById, matchId: id } as const
        await writeDecision(tx, record!, told, digestKey)
        return { screeningMatch }
      }),
  },
  ScreeningMatch: {
    record: one(ScreeningMatch, 'recordId', ComplianceRecord),
    decidedBy: needs(ScreeningMatch, ['decidedById'], ({ decidedById }) =>
      decidedById ? { id: decidedById } : null,
    ),
  },
  ComplianceDecision: {
    record: one(ComplianceDecision, 'recordId', ComplianceRecord),
    match: one(ComplianceDecision, 'matchId', ScreeningMatch),
    decidedBy: needs(ComplianceDecision, ['decidedById'], ({ decidedById }) => ({ id: decidedById })),
  },
  ComplianceRecord: {
    matches: needs(ComplianceRecord, ['id'], ({ id }, args, context, info) =>
      nested(context, ScreeningMatch, 'recordId', id, args, info, latest),
    ),
    decisions: needs(ComplianceRecord, ['id'], ({ id }, args, context, info) =>
      nested(context, ComplianceDecision, 'recordId', id, args, info, latest),
    ),
  },
}
