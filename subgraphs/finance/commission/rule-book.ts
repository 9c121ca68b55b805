import { prepared } from '../../../kernel/statement'
import type { RuleTerms, Tier } from '../rules/commission'
import type { ReadRows } from './sales'

export type StoredRule = RuleTerms & { id: string }

/** The most rules that are for more than one user, and those of one user, that are reckoned with. */
export const mostRules = 1000

const ruleColumns = `r.id, r.type, r.rate::text, r.flat_amount::text, r.currency, r.tiers, r.is_marginal, r.criteria,
  r.user_id, r.department_id, r.is_stackable, r.start_date::text, r.end_date::text`
const findRules = (whose: string) => `
  SELECT ${ruleColumns} FROM finance.commission_rules r
   WHERE r.tenant_id = $1 AND r.status = 'APPROVED' AND ${whose} ORDER BY r.id LIMIT ${mostRules + 1}`
const findGeneral = findRules('r.user_id IS NULL')
const findPersonal = findRules('r.user_id = $2')
const findRule = `SELECT ${ruleColumns} FROM finance.commission_rules r WHERE r.tenant_id = $1 AND r.id = $2`

type RuleRow = [
  ...[id: string, type: RuleTerms['type'], rate: string, flat: string | null, currency: string | null],
  ...[tiers: Tier[], isMarginal: boolean, criteria: string],
  ...[userId: string | null, departmentId: string | null, isStackable: boolean],
  ...[startDate: string, endDate: string | null],
]

function ruleOf(row: unknown[]): StoredRule {
  const [id, type, rate, flatAmount, currency, tiers, isMarginal, criteria, ...rest] = row as RuleRow
  const [userId, departmentId, isStackable, startDate, endDate] = rest
  const terms = { type, rate, flatAmount, currency, tiers, isMarginal, criteria }
  return { id, ...terms, userId, departmentId, isStackable, startDate, endDate }
}

/** Approved rules that a user may earn by, of whatever days: what is taken back meets those of its sale. */
export type RuleBook = (userId: string) => Promise<readonly StoredRule[]>

/**
 * The rules of a tenant. Those for more than one user are read once, whoever is asked about; those of a user by their index.
 * @param refuse ends the work: there are more than {@link mostRules}, and none is left out silently
 */
export function ruleBook(rows: ReadRows, tenantId: string, refuse: (message: string) => never): RuleBook {
  const read = async (text: string, values: readonly string[], whose: string) => {
    const found = await rows(prepared(text, [tenantId, ...values]))
    if (found.length > mostRules) refuse(`There are more than ${mostRules} approved rules for ${whose}`)
    return found.map(ruleOf)
  }
  let general: Promise<StoredRule[]> | null = null
  return async (userId) => {
    general ??= read(findGeneral, [], 'more than one user')
    const all = [...(await general), ...(await read(findPersonal, [userId], 'one user'))]
    return all.sort((a, b) => (a.id < b.id ? -1 : 1))
  }
}

/** The rule with an id, whatever its status; null when there is none. */
export async function ruleById(rows: ReadRows, tenantId: string, id: string): Promise<StoredRule | null> {
  const [row] = await rows(prepared(findRule, [tenantId, id]))
  return row ? ruleOf(row) : null
}
