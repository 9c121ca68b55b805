import type { GraphQLResolveInfo } from 'graphql'
import type { SubgraphContext } from './context'
import type { EntityClass } from './entity'
import { shownSummary, type Summary } from './reading/summary-answer'
import { noteConditions } from './reading/recorded-conditions'
import { rememberedSummary, summaryKey } from './reading/summary-cache'
import { groupsOf } from './reading/summary-groups'
import { readSummary, type SummaryArguments } from './reading/summary-request'
import { mostRows, summaryCells } from './reading/summary-sql'

export type { Summary } from './reading/summary-answer'

/**
 * A summary of the rows that a list of the entity has for the viewer: counted and added up by one statement, grouped by
 * fields marked `@group`, measured by those marked `@measure`. An answer is kept for five minutes for those who may see the
 * same.
 *
 * Throws BAD_USER_INPUT for arguments that do not fit together, QUERY_TOO_COSTLY when the database takes longer than two
 * seconds. A resolver is one line: `transactionSummary: (_, args, context, info) => summary(context, Transaction, args, info)`.
 */
export async function summary(
  context: SubgraphContext,
  entity: EntityClass,
  args: SummaryArguments,
  info: GraphQLResolveInfo,
): Promise<Summary> {
  const request = readSummary(context, entity, args, info)
  noteConditions(context, request.model, request.filter, [])
  return rememberedSummary(context, summaryKey(context, request), args.fresh === true, async () => {
    const asOf = context.clock.now().toISOString()
    const cells = await summaryCells(context, request)
    const isComplete = cells.reduce((rows, { count }) => rows + count, 0) < mostRows
    return shownSummary(request, groupsOf(request, cells, isComplete), asOf, isComplete)
  })
}
