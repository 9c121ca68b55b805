import type { Job } from '../../../kernel/jobs'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { Employee } from '../entities/Employee'
import type { HrUserErrorCode } from '../generated'
import { proposeWeek } from '../overtime/propose'

/** Weeks with work that nobody looked into, of days that have passed and that a rule holds on. */
const unchecked = `
  SELECT DISTINCT employee_id, date_trunc('week', work_date)::date FROM hr.attendance_records
   WHERE tenant_id = $1 AND NOT is_overtime_checked AND clock_out_at IS NOT NULL AND work_date < $2
     AND work_date >= (SELECT min(valid_from) FROM hr.overtime_rules WHERE tenant_id = $1)
   ORDER BY 1, 2 LIMIT 500`

/**
 * Proposes overtime from attendance. Work that was looked into is not looked into again until it is corrected, and what is
 * proposed is not proposed again, so it may run at any time and again.
 */
export const overtimeProposals: Job = {
  name: 'overtime-proposals',
  schedule: { cron: '50 2 * * *', timeZone: 'UTC' },
  async run(context, transaction, _, { signal, progress }) {
    const tx = transaction as MutationTransaction<HrUserErrorCode>
    const today = context.clock.now().toISOString().slice(0, 10)
    let done = 0
    for (;;) {
      const weeks = await tx.rows(prepared(unchecked, [context.binding.tenantId, today]))
      if (weeks.length === 0) return
      for (const [employeeId, monday] of weeks) {
        signal.throwIfAborted()
        await proposeWeek(context, tx, await tx.find(Employee, String(employeeId)), String(monday))
      }
      progress((done += weeks.length))
    }
  },
}
