import type { SubgraphContext } from '../../../kernel/context'
import { isUuid } from '../../../kernel/id'
import { moneyColumns, parseMoney } from '../../../kernel/money'
import type { MutationTransaction, Values } from '../../../kernel/mutate'
import { requireOwnHand } from '../../../kernel/second-person'
import { prepared } from '../../../kernel/statement'
import { CommissionRule } from '../entities/CommissionRule'
import type { CommissionTierInput, CreateCommissionRuleInput, FinanceUserErrorCode } from '../generated'
import { ruleFault, type Tier } from '../rules/commission'
import { criteriaFault } from '../rules/criteria'
import { dayOf } from '../rules/entry'
import { lockTerms } from './compute'

type Tx = MutationTransaction<FinanceUserErrorCode>

interface Change {
  id: string
  expectedVersion: number
}

/** All rules of the scope of one, in one order, so that those who approve at once wait for each other and see each other. */
const lockScope = `
  SELECT r.id, r.status, r.is_stackable, r.start_date::text, r.end_date::text
    FROM finance.commission_rules own
    JOIN finance.commission_rules r
      ON r.tenant_id = $1 AND r.user_id IS NOT DISTINCT FROM own.user_id
     AND r.department_id IS NOT DISTINCT FROM own.department_id AND r.currency IS NOT DISTINCT FROM own.currency
   WHERE own.tenant_id = $1 AND own.id = $2 ORDER BY r.id FOR UPDATE OF r`

const today = (context: SubgraphContext) => dayOf(context.clock.now().toISOString())

/** The authors of a draft, with who writes now. */
export function authorsOf({ viewer }: SubgraphContext, authorIds: readonly string[] = []): string[] {
  return [...new Set([...authorIds, viewer!.userId])]
}

/** The columns of an input: null in what has a default is its default. */
export function ruleColumns(
  tx: Tx,
  input: Partial<CreateCommissionRuleInput>,
  currencyBefore: string | null = null,
): Values<CommissionRule> {
  const { flatAmount, tiers, isMarginal, criteria, isStackable, ...plain } = input
  const currency = (plain.currency === undefined ? currencyBefore : plain.currency) ?? null
  if (flatAmount && flatAmount.currency !== currency)
    tx.fail('INVALID', 'flatAmount must be in the currency of the rule', 'flatAmount')
  const flat = moneyColumns(flatAmount, 'flatAmount', 'unused').flatAmount
  return {
    ...plain,
    ...(flat !== undefined && { flatAmount: flat }),
    ...(tiers !== undefined && { tiers: (tiers ?? []).map((tier) => tierOf(tx, tier, currency)) }),
    ...(typeof isMarginal === 'boolean' && { isMarginal }),
    ...(typeof isStackable === 'boolean' && { isStackable }),
    ...(typeof criteria === 'string' && { criteria }),
  }
}

function tierOf(tx: Tx, { upTo, rate }: CommissionTierInput, currency: string | null): Tier {
  if (!upTo) return { upTo: null, rate }
  if (upTo.currency !== currency) tx.fail('INVALID', 'tiers must be in the currency of the rule', 'tiers')
  return { upTo: parseMoney(upTo, 'tiers').minor, rate }
}

/** Ends the mutation when a rule, as it is written, cannot be reckoned with. */
export function requireSound(tx: Tx, rule: CommissionRule): CommissionRule {
  const fault = ruleFault(rule)
  if (fault) tx.fail('INVALID', `${fault.field} ${fault.fault}`, fault.field)
  const wrong = criteriaFault(rule.criteria)
  if (wrong) tx.fail('INVALID', `criteria ${wrong}`, 'criteria')
  return rule
}

/** The rule, locked, at a version and in a status. */
export async function ruleIn(
  tx: Tx,
  { id, expectedVersion }: Change,
  status: CommissionRule['status'],
): Promise<CommissionRule> {
  const rule = await tx.find(CommissionRule, id)
  // A version that nobody saw is not judged.
  if (rule.version !== expectedVersion)
    tx.fail('STALE_VERSION', `The rule is at version ${rule.version}: read it again`, 'expectedVersion')
  if (rule.status !== status)
    tx.fail('INVALID_STATUS', `This rule is ${rule.status}: that is for ${status}`, 'id')
  return rule
}

/** Drafts the next version of an approved rule. */
export async function reviseRule(
  context: SubgraphContext,
  tx: Tx,
  { startDate, ...change }: Change & { startDate: string },
): Promise<CommissionRule> {
  const rule = await ruleIn(tx, change, 'APPROVED')
  requireStart(context, tx, rule, startDate)
  const { name, type, rate, flatAmount, currency, tiers, isMarginal, criteria } = rule
  const { userId, departmentId, isStackable, endDate } = rule
  const terms = { name, type, rate, flatAmount, currency, tiers, isMarginal, criteria }
  const scope = { userId, departmentId, isStackable }
  const days = { startDate, endDate: endDate !== null && endDate > startDate ? endDate : null }
  const next = { revision: rule.revision + 1, revisesId: rule.id }
  return tx.insert(CommissionRule, { ...terms, ...scope, ...days, ...next, authorIds: authorsOf(context) })
}

function requireStart(context: SubgraphContext, tx: Tx, before: CommissionRule, startDate: string): void {
  if (startDate <= before.startDate)
    tx.fail(
      'INVALID',
      `startDate must be after ${before.startDate}, when the version before begins`,
      'startDate',
    )
  if (startDate < today(context))
    tx.fail('INVALID', 'startDate must not be in the past: what the version before earned stays', 'startDate')
}

/** Ends the mutation when a rule is for the viewer alone, or the viewer's account in the hand of whom it is for. */
async function requireOthers(context: SubgraphContext, tx: Tx, { userId }: CommissionRule): Promise<void> {
  if (userId !== null && userId === context.viewer?.userId)
    tx.fail('OWN_RECORD', 'Somebody else must do this: the rule is for you alone', 'id')
  await requireOwnHand(context, tx, [userId], { code: 'OWN_RECORD', field: 'id' })
}

const findPromised = `
  SELECT max(p.period_end)::text FROM finance.sales_performances p
   WHERE p.tenant_id = $1 AND p.status IN ('SUBMITTED', 'APPROVED', 'PAID')
     AND ($2::uuid IS NULL OR p.user_id = $2) AND ($3::text IS NULL OR p.currency = $3)`

/** Months that somebody has submitted are not reckoned by other rules afterwards. */
async function requireUnpromised(context: SubgraphContext, tx: Tx, rule: CommissionRule): Promise<void> {
  const values = [context.binding.tenantId, rule.userId, rule.currency]
  const [[end]] = (await tx.rows(prepared(findPromised, values))) as [[string | null]]
  if (end !== null && rule.startDate < end)
    tx.fail(
      'INVALID',
      `startDate must not be before ${end}: performances of the days before are submitted`,
      'startDate',
    )
}

/** Puts a draft into force, by another person than wrote it, and ends the version before it. */
export async function approveRule(context: SubgraphContext, tx: Tx, change: Change): Promise<CommissionRule> {
  const { viewer, clock, binding } = context
  await lockTerms(tx, binding.tenantId!, 'alone')
  const scope = isUuid(change.id) ? prepared(lockScope, [binding.tenantId, change.id]) : null
  const others = (scope ? await tx.rows(scope) : []) as [string, string, boolean, string, string | null][]
  const found = await ruleIn(tx, change, 'DRAFT')
  await requireOthers(context, tx, found)
  const authors = [...new Set([found.createdById, found.updatedById, ...found.authorIds])]
  if (authors.includes(viewer!.userId))
    tx.fail('SECOND_PERSON_NEEDED', 'You wrote it: somebody else must approve it', 'id')
  await requireOwnHand(context, tx, authors, { code: 'SECOND_PERSON_NEEDED', field: 'id', isPrepared: true })
  await requireUnpromised(context, tx, found)
  if (found.revisesId !== null) {
    const before = await tx.find(CommissionRule, found.revisesId)
    requireStart(context, tx, before, found.startDate)
    if (before.endDate === null || before.endDate > found.startDate)
      await tx.update(CommissionRule, before.id, null, { endDate: found.startDate })
  }
  const overlapping = others.some(
    ([id, status, isStackable, startDate, endDate]) =>
      id !== found.id &&
      id !== found.revisesId &&
      status === 'APPROVED' &&
      !isStackable &&
      !found.isStackable &&
      startDate < (found.endDate ?? '9999-12-31') &&
      found.startDate < (endDate ?? '9999-12-31'),
  )
  if (overlapping)
    tx.fail(
      'OVERLAPPING',
      'Another rule of this scope is in force on these days, and neither stacks',
      'startDate',
    )
  return tx.update(CommissionRule, found.id, change.expectedVersion, {
    status: 'APPROVED',
    approvedById: viewer!.userId,
    approvedAt: clock.now().toISOString(),
  })
}

/** Ends an approved rule: what it has earned stays, so not before today. */
export async function endRule(
  context: SubgraphContext,
  tx: Tx,
  { endDate, ...change }: Change & { endDate: string },
): Promise<CommissionRule> {
  const rule = await ruleIn(tx, change, 'APPROVED')
  await requireOthers(context, tx, rule)
  if (endDate < today(context))
    tx.fail('INVALID', 'endDate must not be in the past: what the rule earned stays', 'endDate')
  if (endDate <= rule.startDate) tx.fail('INVALID', 'endDate must be after startDate', 'endDate')
  if (rule.endDate !== null && endDate > rule.endDate)
    tx.fail('INVALID', `endDate must not be after ${rule.endDate}: draft a new rule instead`, 'endDate')
  return tx.update(CommissionRule, rule.id, change.expectedVersion, { endDate })
}
