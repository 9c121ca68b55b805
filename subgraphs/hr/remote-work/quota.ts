import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import type { RemoteKind, RemoteStatus } from '../entities/RemoteWorkSession'
import type { HrUserErrorCode } from '../generated'
import { dayIn } from '../rules/zone-time'

type Tx = MutationTransaction<HrUserErrorCode>

const ruleText = `SELECT days_per_year, needs_approval FROM hr.remote_work_rules
  WHERE tenant_id = $1 AND kind = $2 AND valid_from <= $3 ORDER BY valid_from DESC LIMIT 1`
/** Days that were worked, and those to come that are asked for or granted. */
const usedText = `
  SELECT count(DISTINCT d.day)::int FROM hr.remote_work_sessions s
   CROSS JOIN LATERAL (VALUES (s.work_date), (s.last_date)) AS d (day)
   WHERE s.tenant_id = $1 AND s.employee_id = $2 AND s.kind = $3
     AND s.work_date BETWEEN $4::date - 1 AND $5 AND d.day BETWEEN $4 AND $5 AND d.day <> $6
     AND (s.started_at IS NOT NULL OR s.status = ANY ($8) AND s.work_date >= $7)`

/** An agreement about a kind of remote work. */
export interface RemoteRule {
  daysPerYear: number | null
  needsApproval: boolean
}

/** The rule of a kind that holds on a day. */
export async function remoteRuleOn(
  { binding }: SubgraphContext,
  tx: Tx,
  kind: RemoteKind,
  day: string,
): Promise<RemoteRule> {
  const [row] = await tx.rows(prepared(ruleText, [binding.tenantId, kind, day]))
  return { daysPerYear: (row?.[0] ?? null) as number | null, needsApproval: row?.[1] === true }
}

/**
 * Ends the mutation when a day of a kind would be one too many in its calendar year. The row of the employee is locked, so that it
 * stays true until the transaction ends. What waits counts while its day has not passed anywhere on earth (Baker Island, UTC-12):
 * callers choose the zone of the place.
 * @param waiting in which states a day that is not worked counts
 * @param field the input field that the error names
 */
export async function requireQuota(
  { binding, clock }: SubgraphContext,
  tx: Tx,
  employeeId: string,
  { kind, workDate, daysPerYear }: { kind: RemoteKind; workDate: string } & RemoteRule,
  waiting: readonly RemoteStatus[],
  field: string,
): Promise<void> {
  if (daysPerYear === null) return
  const year = workDate.slice(0, 4)
  const values = [binding.tenantId, employeeId, kind, `${year}-01-01`, `${year}-12-31`, workDate]
  const today = dayIn('Etc/GMT+12', clock.now())
  const [row] = await tx.rows(prepared(usedText, [...values, today, waiting]))
  if (Number(row![0]) >= daysPerYear)
    tx.fail('REMOTE_QUOTA', `${kind} is for ${daysPerYear} days of ${year}, and none is left`, field)
}
