import type { SubgraphContext } from '../../../kernel/context'
import { isUuid, uuidv7 } from '../../../kernel/id'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import type { SalesPerformance, SalesPerformanceStatus } from '../entities/SalesPerformance'
import { SalesPerformanceLine } from '../entities/SalesPerformanceLine'
import type { FinanceUserErrorCode } from '../generated'
import { adjustmentLines, commissionLines, totalsOf, type CommissionLine } from '../rules/commission'
import { digestOf } from '../digest'
import { ruleBook, type RuleBook, type StoredRule } from './rule-book'
import { mostSales, readSales, type UserSale } from './sales'

type Tx = MutationTransaction<FinanceUserErrorCode>

// What later months have corrected already counts as told; the month that is reckoned does not.
const findApproved = `
  SELECT p.id, p.period_start::text, p.period_end::text,
         (p.revenue + coalesce(sum(l.revenue), 0))::text, (p.commission + coalesce(sum(l.commission), 0))::text,
         (SELECT coalesce(sum(o.revenue), 0)::text FROM finance.sales_performance_lines o
           WHERE o.tenant_id = $1 AND o.performance_id = p.id AND o.kind = 'ADJUSTMENT'),
         (SELECT coalesce(sum(o.commission), 0)::text FROM finance.sales_performance_lines o
           WHERE o.tenant_id = $1 AND o.performance_id = p.id AND o.kind = 'ADJUSTMENT')
    FROM finance.sales_performances p
    LEFT JOIN finance.sales_performance_lines l
      ON l.tenant_id = $1 AND l.adjusts_id = p.id AND l.performance_id <> $6
   WHERE p.tenant_id = $1 AND p.user_id = $2 AND p.currency = $3 AND p.status IN ('APPROVED', 'PAID')
     AND p.period_start < $4 AND p.period_start >= $5
   GROUP BY p.tenant_id, p.id ORDER BY p.period_start`
const removeLines =
  'DELETE FROM finance.sales_performance_lines l WHERE l.tenant_id = $1 AND l.performance_id = $2'

/** The first day of the month that is so many after that of a day; before it, where less than 0. */
export function monthFrom(periodStart: string, months: number): string {
  const [year, month] = periodStart.split('-').map(Number) as [number, number]
  return new Date(Date.UTC(year, month - 1 + months, 1)).toISOString().slice(0, 10)
}

interface Approved {
  id: string
  periodStart: string
  periodEnd: string
  told: { revenue: string; commission: string }
  /** Its own adjustments of months before it. */
  own: { revenue: string; commission: string }
}

/**
 * Adjustments for what has changed of the approved months of somebody, up to twelve back: their sales and rules are reckoned anew,
 * less what they and later months have told. To be called with the seller locked ({@link lockSeller}).
 */
export async function adjustments(
  tx: Tx,
  tenantId: string,
  performance: Pick<SalesPerformance, 'id' | 'userId' | 'currency' | 'periodStart'>,
  rules: readonly StoredRule[],
): Promise<CommissionLine[]> {
  const { id, userId, currency, periodStart } = performance
  const earliest = monthFrom(periodStart, -12)
  const values = [tenantId, userId, currency, periodStart, earliest, id]
  const found = (await tx.rows(prepared(findApproved, values))) as string[][]
  const approved = found.map(([of, from, end, revenue, commission, ownRevenue, ownCommission]): Approved => ({
    id: of!,
    periodStart: from!,
    periodEnd: end!,
    told: { revenue: revenue!, commission: commission! },
    own: { revenue: ownRevenue!, commission: ownCommission! },
  }))
  const sales = await salesOfMonths(tx, { tenantId, userId, currency }, approved)
  return approved.flatMap((month, place) => {
    const now = totalsOf([...commissionLines(sales[place]!, rules, userId, currency), month.own])
    return adjustmentLines(month.id, { before: month.told, after: now })
  })
}

type Period = Pick<SalesPerformance, 'periodStart' | 'periodEnd'>
type Whose = Pick<Parameters<typeof readSales>[1], 'tenantId' | 'userId' | 'currency'>

/** The sales of some months in their order: with one statement, or where they are too many for it with one for each. */
async function salesOfMonths(tx: Tx, whose: Whose, months: readonly Period[]): Promise<UserSale[][]> {
  const [first, last] = [months[0], months.at(-1)]
  if (!first || !last) return []
  const span = { periodStart: first.periodStart, periodEnd: last.periodEnd }
  const all = await readSales((statement) => tx.rows(statement), { ...whose, ...span })
  if (all.length <= mostSales)
    return months.map(({ periodStart, periodEnd }) =>
      all.filter(({ day }) => day >= periodStart && day < periodEnd),
    )
  const found: UserSale[][] = []
  for (const { periodStart, periodEnd } of months)
    found.push(await salesOf(tx, { ...whose, periodStart, periodEnd }))
  return found
}

async function salesOf(tx: Tx, question: Parameters<typeof readSales>[1]): Promise<UserSale[]> {
  const sales = await readSales((statement) => tx.rows(statement), question)
  if (sales.length > mostSales)
    tx.fail(
      'INVALID',
      `There are more than ${mostSales} sales from ${question.periodStart}: record fewer, larger ones`,
      'periodStart',
    )
  return sales
}

/** The rules by which a mutation or a job reckons; more than can be kept in mind end it. */
export const rulesOf = (context: SubgraphContext, tx: Tx): RuleBook =>
  ruleBook(
    (statement) => tx.rows(statement),
    context.binding.tenantId!,
    (message) => tx.fail('INVALID', message),
  )

const lockOfUser = `SELECT pg_advisory_xact_lock(hashtextextended('finance.seller ' || $1 || $2 || $3, 0))`
const lockOfPerformance = `
  SELECT pg_advisory_xact_lock(hashtextextended('finance.seller ' || $1 || p.user_id || p.currency, 0))
    FROM finance.sales_performances p WHERE p.tenant_id = $2 AND p.id = $3`

/**
 * Lets one at a time reckon or decide about the months of a seller in a currency, until the transaction ends: what one month tells
 * of an earlier one, another must not tell again. Before any of their rows is locked.
 */
export async function lockSeller(
  tx: Tx,
  tenantId: string,
  of: { userId: string; currency: string } | { id: string },
): Promise<void> {
  if (!('id' in of)) await tx.rows(prepared(lockOfUser, [tenantId, of.userId.toLowerCase(), of.currency]))
  else if (isUuid(of.id)) await tx.rows(prepared(lockOfPerformance, [tenantId, tenantId, of.id]))
}

const lockOfTerms = {
  shared: `SELECT pg_advisory_xact_lock_shared(hashtextextended('finance.commission ' || $1, 0))`,
  alone: `SELECT pg_advisory_xact_lock(hashtextextended('finance.commission ' || $1, 0))`,
}

/**
 * Keeps those who submit months, who share it, apart from who puts a rule into force: a rule begins after what is submitted. Until the
 * transaction ends; before any other lock.
 */
export async function lockTerms(tx: Tx, tenantId: string, how: keyof typeof lockOfTerms): Promise<void> {
  await tx.rows(prepared(lockOfTerms[how], [tenantId]))
}

/** The part of a performance that its reckoning is about. */
export type Reckonable = Pick<
  SalesPerformance,
  | 'id'
  | 'userId'
  | 'managerId'
  | 'currency'
  | 'periodStart'
  | 'periodEnd'
  | 'status'
  | 'revenue'
  | 'linesChecksum'
>

const writeSums = `
  UPDATE finance.sales_performances AS p
     SET revenue = $3, commission = $4, lines_checksum = $5, status = 'DRAFT', version = version + 1, updated_at = $6
   WHERE p.tenant_id = $1 AND p.id = $2 RETURNING p.version`

/**
 * Reckons a performance, which is locked as its seller is, and a draft or disputed, and writes its lines and sums, as a draft. What
 * comes out as it was is not written. For jobs too, which nobody looks through the row rules for.
 * @returns whether anything was written
 */
export async function reckon(
  context: SubgraphContext,
  tx: Tx,
  performance: Reckonable,
  book: RuleBook = rulesOf(context, tx),
): Promise<boolean> {
  const tenantId = context.binding.tenantId!
  const { id, userId, managerId, currency, periodStart, periodEnd, status } = performance
  const period = { periodStart, periodEnd }
  const sales = await salesOf(tx, { tenantId, userId, currency, ...period })
  const rules = await book(userId)
  const lines = [
    ...commissionLines(sales, rules, userId, currency),
    ...(await adjustments(tx, tenantId, performance, rules)),
  ]
  const checksum = digestOf(lines)
  if (checksum === performance.linesChecksum && status === 'DRAFT') return false
  await tx.run(prepared(removeLines, [tenantId, id]))
  await tx.insertAll(
    SalesPerformanceLine,
    lines.map((line, place) => ({
      performanceId: id,
      userId,
      managerId,
      position: place + 1,
      currency,
      ...line,
    })),
  )
  const { revenue, commission } = totalsOf(lines)
  const now = context.clock.now().toISOString()
  const [row] = await tx.rows(prepared(writeSums, [tenantId, id, revenue, commission, checksum, now]))
  const about = { resourceType: 'SalesPerformance', resourceId: id }
  // What somebody earns is no matter of the trail: the lines tell it to those who may know.
  const changes = { before: { revenue: performance.revenue, status }, after: { revenue, status: 'DRAFT' } }
  tx.audit({ action: 'UPDATE', ...about, changes })
  const fields = ['revenue', 'commission', 'status']
  tx.emit('updated', { type: about.resourceType, id }, { version: row![0], fields })
  return true
}

const addPerformance = `
  INSERT INTO finance.sales_performances (id, user_id, manager_id, period_start, currency)
  VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, user_id, period_start, currency) DO NOTHING RETURNING id`
const lockPerformance = `
  SELECT p.id, p.user_id, p.manager_id, p.currency, p.period_start::text, p.period_end::text, p.status, p.revenue::text,
         p.lines_checksum
    FROM finance.sales_performances p
   WHERE p.tenant_id = $1 AND p.user_id = $2 AND p.period_start = $3 AND p.currency = $4 FOR UPDATE`

/** Which performance of which user. */
interface MonthOf {
  userId: string
  periodStart: string
  currency: string
}

/**
 * The performance of somebody in a month, made when there is none, locked: one for each user, month and currency.
 * @param managerId who leads the team, if it is made; when undefined, who did so in the month just before
 */
export async function performanceOf(
  context: SubgraphContext,
  tx: Tx,
  { userId, periodStart, currency }: MonthOf,
  given: string | null | undefined,
): Promise<Reckonable> {
  await lockSeller(tx, context.binding.tenantId!, { userId, currency })
  const managerId = given === undefined ? await managerBefore(context, tx, userId, periodStart) : given
  const of = { userId, periodStart, currency, managerId }
  const values = [userId, managerId, periodStart, currency]
  const [made] = await tx.rows(prepared(addPerformance, [uuidv7(context.clock.now().getTime()), ...values]))
  if (made) {
    const about = { type: 'SalesPerformance', id: String(made[0]) }
    tx.audit({ action: 'CREATE', resourceType: about.type, resourceId: about.id, changes: { after: of } })
    tx.emit('created', about, { version: 1, fields: Object.keys(of) })
  }
  const key = [context.binding.tenantId, userId, periodStart, currency]
  const [row] = (await tx.rows(prepared(lockPerformance, key))) as [[...string[]]]
  const [id, user, manager, inCurrency, from, until, status, revenue, linesChecksum] = row
  return {
    id: id!,
    userId: user!,
    managerId: manager ?? null,
    currency: inCurrency!,
    periodStart: from!,
    periodEnd: until!,
    status: status as SalesPerformanceStatus,
    revenue: revenue!,
    linesChecksum: linesChecksum ?? null,
  }
}

const findManager = `
  SELECT p.manager_id FROM finance.sales_performances p
   WHERE p.tenant_id = $1 AND p.user_id = $2 AND p.period_start = $3 ORDER BY p.updated_at DESC, p.id LIMIT 1`

/** The user who leads the team of a seller in the month just before, as it was said last; null when nobody does. */
async function managerBefore(
  { binding }: SubgraphContext,
  tx: Tx,
  userId: string,
  periodStart: string,
): Promise<string | null> {
  const [row] = await tx.rows(prepared(findManager, [binding.tenantId, userId, monthFrom(periodStart, -1)]))
  return (row?.[0] ?? null) as string | null
}
