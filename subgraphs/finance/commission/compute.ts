import type { SubgraphContext } from '../../../kernel/context'
import { uuidv7 } from '../../../kernel/id'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import type { SalesPerformance, SalesPerformanceStatus } from '../entities/SalesPerformance'
import { SalesPerformanceLine } from '../entities/SalesPerformanceLine'
import type { FinanceUserErrorCode } from '../generated'
import {
  adjustmentLines,
  commissionLines,
  digestOf,
  totalsOf,
  type CommissionLine,
  type RuleTerms,
  type Tier,
} from '../rules/commission'
import { mostSales, readSales, type ReadRows, type UserSale } from './sales'

type Tx = MutationTransaction<FinanceUserErrorCode>

export type StoredRule = RuleTerms & { id: string }

const ruleColumns = `r.id, r.type, r.rate::text, r.flat_amount::text, r.currency, r.tiers, r.is_marginal, r.criteria,
  r.user_id, r.department_id, r.is_stackable, r.start_date::text, r.end_date::text`
const findRules = `
  SELECT ${ruleColumns} FROM finance.commission_rules r
   WHERE r.tenant_id = $1 AND r.status = 'APPROVED' AND r.start_date < $3 AND (r.end_date IS NULL OR r.end_date > $2)
   ORDER BY r.id LIMIT 1000`
const findRule = `SELECT ${ruleColumns} FROM finance.commission_rules r WHERE r.tenant_id = $1 AND r.id = $2`
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

type RuleRow = [
  ...[id: string, type: RuleTerms['type'], rate: string, flat: string | null, currency: string | null],
  ...[
    tiers: Tier[],
    isMarginal: boolean,
    criteria: string,
    userId: string | null,
    departmentId: string | null,
  ],
  ...[isStackable: boolean, startDate: string, endDate: string | null],
]

function ruleOf(row: unknown[]): StoredRule {
  const [id, type, rate, flatAmount, currency, tiers, isMarginal, criteria, ...rest] = row as RuleRow
  const [userId, departmentId, isStackable, startDate, endDate] = rest
  const terms = { type, rate, flatAmount, currency, tiers, isMarginal, criteria }
  return { id, ...terms, userId, departmentId, isStackable, startDate, endDate }
}

/** The rules that are in force on some day of a period. */
export async function rulesIn(
  rows: ReadRows,
  tenantId: string,
  { periodStart, periodEnd }: { periodStart: string; periodEnd: string },
): Promise<StoredRule[]> {
  return (await rows(prepared(findRules, [tenantId, periodStart, periodEnd]))).map(ruleOf)
}

/** The rule with an id, whatever its status; null when there is none. */
export async function ruleById(rows: ReadRows, tenantId: string, id: string): Promise<StoredRule | null> {
  const [row] = await rows(prepared(findRule, [tenantId, id]))
  return row ? ruleOf(row) : null
}

/** The first day of the month after, or so many months before, that of a first day. */
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
 * Adjustments for what has changed of the approved months of somebody, up to twelve back: their sales and rules are reckoned anew, less what they
 * and later months have told. All of them are read with one statement of sales and one of rules.
 */
export async function adjustments(
  tx: Tx,
  tenantId: string,
  performance: Pick<SalesPerformance, 'id' | 'userId' | 'currency' | 'periodStart'>,
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
  const [first] = approved
  if (!first) return []
  const span = { periodStart: first.periodStart, periodEnd: periodStart }
  const sales = await salesOf(tx, { tenantId, userId, currency, ...span })
  const rules = await rulesIn((statement) => tx.rows(statement), tenantId, span)
  return approved.flatMap((month) => {
    const ofMonth = sales.filter(({ day }) => day >= month.periodStart && day < month.periodEnd)
    const now = totalsOf([
      ...commissionLines(ofMonth, rules, userId, currency),
      { revenue: month.own.revenue, commission: month.own.commission },
    ])
    return adjustmentLines(month.id, { before: month.told, after: now })
  })
}

async function salesOf(tx: Tx, question: Parameters<typeof readSales>[1]): Promise<UserSale[]> {
  const sales = await readSales((statement) => tx.rows(statement), question)
  if (sales.length > mostSales)
    tx.fail('INVALID', `There are more than ${mostSales} sales: reckon a shorter time`, 'periodStart')
  return sales
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
 * Reckons a performance, which is locked and a draft or disputed, and writes its lines and sums, as a draft. What comes out as it
 * was is not written. For jobs too, which nobody looks through the row rules for.
 */
export async function reckon(context: SubgraphContext, tx: Tx, performance: Reckonable): Promise<void> {
  const tenantId = context.binding.tenantId!
  const { id, userId, managerId, currency, periodStart, periodEnd, status } = performance
  const period = { periodStart, periodEnd }
  const sales = await salesOf(tx, { tenantId, userId, currency, ...period })
  const rules = await rulesIn((statement) => tx.rows(statement), tenantId, period)
  const lines = [
    ...commissionLines(sales, rules, userId, currency),
    ...(await adjustments(tx, tenantId, performance)),
  ]
  const checksum = digestOf(lines)
  if (checksum === performance.linesChecksum && status === 'DRAFT') return
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
}

const addPerformance = `
  INSERT INTO finance.sales_performances (id, user_id, manager_id, period_start, period_end, currency)
  VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, user_id, period_start, currency) DO NOTHING RETURNING id`
const lockPerformance = `
  SELECT p.id, p.user_id, p.manager_id, p.currency, p.period_start::text, p.period_end::text, p.status, p.revenue::text,
         p.lines_checksum
    FROM finance.sales_performances p
   WHERE p.tenant_id = $1 AND p.user_id = $2 AND p.period_start = $3 AND p.currency = $4 FOR UPDATE`

/** The performance of somebody in a month, made when there is none, locked: one for each user, month and currency. */
export async function performanceOf(
  context: SubgraphContext,
  tx: Tx,
  of: { userId: string; periodStart: string; currency: string; managerId: string | null },
): Promise<Reckonable> {
  const { userId, periodStart, currency, managerId } = of
  const values = [userId, managerId, periodStart, monthFrom(periodStart, 1), currency]
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
   WHERE p.tenant_id = $1 AND p.user_id = $2 AND p.period_start < $3 ORDER BY p.period_start DESC, p.id LIMIT 1`

/** The user who led the team of a seller last; null when nobody did. */
export async function lastManager(
  tx: Tx,
  tenantId: string,
  userId: string,
  periodStart: string,
): Promise<string | null> {
  const [row] = await tx.rows(prepared(findManager, [tenantId, userId, periodStart]))
  return (row?.[0] ?? null) as string | null
}
