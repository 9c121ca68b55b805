import { enqueue, type Job } from '../../../kernel/jobs'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { Employee } from '../entities/Employee'
import type { HrUserErrorCode } from '../generated'
import { proposeWeek } from '../overtime/propose'

/** Employees and weeks of one run: their rows are locked until it ends. */
const [mostEmployees, mostWeeks] = [50, 200]
/** Work that nobody looked into, of days that have passed and that a rule holds on. */
const unchecked = `
    FROM hr.attendance_records
   WHERE tenant_id = $1 AND NOT is_overtime_checked AND clock_out_at IS NOT NULL AND work_date < $2
     AND work_date >= (SELECT min(valid_from) FROM hr.overtime_rules WHERE tenant_id = $1 AND status = 'APPROVED')`
const weeksText = `
  SELECT DISTINCT employee_id, date_trunc('week', work_date)::date ${unchecked}
     AND employee_id IN (SELECT DISTINCT employee_id ${unchecked} ORDER BY employee_id LIMIT ${mostEmployees})
   ORDER BY 1, 2 LIMIT ${mostWeeks}`
const restText = `SELECT 1 ${unchecked} LIMIT 1`

/**
 * Proposes overtime from attendance, of some employees; asks for another run while there are more, so that nobody waits for long to
 * clock in. Work that was looked into is not looked into again until it is corrected or something else is owed, and what is
 * proposed is not proposed again, so it may run at any time and again.
 */
export const overtimeProposals: Job = {
  name: 'overtime-proposals',
  schedule: { cron: '50 2 * * *', timeZone: 'UTC' },
  async run(context, transaction, _, { jobId, signal, progress }) {
    const tx = transaction as MutationTransaction<HrUserErrorCode>
    const values = [context.binding.tenantId, context.clock.now().toISOString().slice(0, 10)]
    const weeks = await tx.rows(prepared(weeksText, values))
    for (const [place, [employeeId, monday]] of weeks.entries()) {
      signal.throwIfAborted()
      await proposeWeek(context, tx, await tx.find(Employee, String(employeeId)), String(monday))
      progress(place + 1, weeks.length)
    }
    if (weeks.length === 0) return
    const [rest] = await tx.rows(prepared(restText, values))
    if (rest) await enqueue(context, tx, overtimeProposals, {}, { key: `after ${jobId}` })
  },
}
