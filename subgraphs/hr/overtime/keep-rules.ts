import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { requireOwnHand } from '../../../kernel/second-person'
import { prepared } from '../../../kernel/statement'
import type { Change } from '../decided-row'
import { OvertimeRule } from '../entities/OvertimeRule'
import type { CreateOvertimeRuleInput, HrUserErrorCode } from '../generated'
import { dayIn } from '../rules/zone-time'
import { lookAgain } from './look-again'

type Tx = MutationTransaction<HrUserErrorCode>

/** Says whose days begin first: Kiritimati (UTC+14). */
const earliestZone = 'Etc/GMT-14'
const approvedText = `SELECT id, version FROM hr.overtime_rules
  WHERE tenant_id = $1 AND valid_from = $2 AND status = 'APPROVED' FOR UPDATE`

const hasBegun = ({ clock }: SubgraphContext, day: string) => day <= dayIn(earliestZone, clock.now())

/**
 * Finds the approved rule of a day, locked. Ends the mutation when it holds somewhere on earth already: pay was counted by it.
 * @param field the input field that the error names
 */
async function followed(
  context: SubgraphContext,
  tx: Tx,
  day: string,
  field: string,
): Promise<{ id: string; version: number } | null> {
  const [row] = await tx.rows(prepared(approvedText, [context.binding.tenantId, day]))
  if (!row) return null
  if (hasBegun(context, day))
    tx.fail('WRONG_STATUS', `A rule holds since ${day}: propose one that holds from another day on`, field)
  return { id: String(row[0]), version: Number(row[1]) }
}

/** Proposes a rule, by which nothing is counted until somebody else approves it. */
export async function proposeRule(
  context: SubgraphContext,
  tx: Tx,
  input: CreateOvertimeRuleInput,
): Promise<OvertimeRule> {
  await followed(context, tx, input.validFrom, 'validFrom')
  return tx.insert(OvertimeRule, { ...input, proposedById: context.viewer!.userId })
}

async function proposed(tx: Tx, { id, expectedVersion }: Change): Promise<OvertimeRule> {
  const rule = await tx.find(OvertimeRule, id)
  // A version that nobody saw is not judged.
  if (rule.version !== expectedVersion)
    tx.fail('STALE_VERSION', `The rule is at version ${rule.version}: read it again`, 'expectedVersion')
  if (rule.status !== 'PROPOSED')
    tx.fail('WRONG_STATUS', 'The rule is approved: propose one that follows it', 'id')
  return rule
}

/**
 * Puts a rule into force that somebody else proposed: from its first day on, in place of an approved one of the same day that has
 * not begun. Work of open days that have passed is looked into again.
 */
export async function approveRule(context: SubgraphContext, tx: Tx, change: Change): Promise<OvertimeRule> {
  const { id, validFrom, proposedById } = await proposed(tx, change)
  const approvedById = context.viewer!.userId
  if (proposedById === approvedById)
    tx.fail('OWN_RECORD', 'Somebody else must approve it: you proposed it', 'id')
  await requireOwnHand(context, tx, [proposedById], { code: 'OWN_RECORD', field: 'id', isPrepared: true })
  const former = await followed(context, tx, validFrom, 'id')
  if (former) await tx.remove(OvertimeRule, former.id, former.version)
  const approvedAt = context.clock.now().toISOString()
  const changes = { status: 'APPROVED', approvedById, approvedAt } as const
  const rule = await tx.update(OvertimeRule, id, change.expectedVersion, changes)
  if (hasBegun(context, validFrom)) await lookAgain(context, tx, { from: validFrom })
  return rule
}

/** Takes a proposal back. */
export async function withdrawRule(tx: Tx, change: Change): Promise<OvertimeRule> {
  const { id } = await proposed(tx, change)
  return tx.remove(OvertimeRule, id, change.expectedVersion)
}
