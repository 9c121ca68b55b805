import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { closedThrough } from '../attendance/closing'
import { dayNumber, dayOfNumber } from '../rules/half-days'

const [beginning, end] = ['0001-01-01', '9999-12-31']
const forget = `
  UPDATE hr.attendance_records SET is_overtime_checked = false, updated_at = updated_at
   WHERE tenant_id = $1 AND work_date BETWEEN $2 AND $3 AND work_date > $4 AND ($5::uuid IS NULL OR employee_id = $5)
     AND is_overtime_checked`

/** The days on which something else holds by now, and for whom: everybody when no employee is named. */
export interface Concerned {
  from?: string
  to?: string
  employeeId?: string
}

/** Has the job look again into work of days on which another rule, calendar or holiday holds by now. Closed days stay. */
export async function lookAgain(
  { binding }: Pick<SubgraphContext, 'binding'>,
  tx: Pick<MutationTransaction, 'rows' | 'run'>,
  { from = beginning, to = end, employeeId }: Concerned = {},
): Promise<void> {
  const closedUntil = (await closedThrough(tx, binding.tenantId)) ?? beginning
  await tx.run(prepared(forget, [binding.tenantId, from, to, closedUntil, employeeId ?? null]))
}

/** The same for holidays: the night before one ends in it. */
export async function lookAtHolidays(
  context: Pick<SubgraphContext, 'binding'>,
  tx: Pick<MutationTransaction, 'rows' | 'run'>,
  days: readonly string[],
): Promise<void> {
  const sorted = [...days].sort()
  if (sorted.length === 0) return
  await lookAgain(context, tx, { from: dayOfNumber(dayNumber(sorted[0]!) - 1), to: sorted.at(-1)! })
}
