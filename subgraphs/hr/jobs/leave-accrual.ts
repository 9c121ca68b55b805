import type { Job } from '../../../kernel/jobs'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import type { HrUserErrorCode } from '../generated'
import { addEntries } from '../leave/ledger'
import { accruals, type LeaveAccrual } from '../rules/leave-accrual'

const types = `SELECT id, accrual, annual_days FROM hr.leave_types
  WHERE tenant_id = $1 AND is_active AND accrual <> 'NONE' AND annual_days > 0`
const employees = `SELECT id, user_id, hire_date FROM hr.employees
  WHERE tenant_id = $1 AND is_active AND id > $2 ORDER BY id LIMIT 500`
const given = `SELECT employee_id, leave_type_id, effective_on FROM hr.leave_ledger_entries
  WHERE tenant_id = $1 AND employee_id = ANY ($2) AND kind = 'ACCRUAL' AND effective_on >= $3`

const beforeAll = '00000000-0000-0000-0000-000000000000'

/**
 * Gives the days of each kind of leave: those of this year, and from October on those of the next. What is given already is not
 * given again, so it may run at any time and again.
 */
export const leaveAccrual: Job = {
  name: 'leave-accrual',
  schedule: { cron: '10 2 * * *', timeZone: 'UTC' },
  async run(context, transaction, _, { signal, progress }) {
    const tx = transaction as MutationTransaction<HrUserErrorCode>
    const { tenantId } = context.binding
    const today = context.clock.now().toISOString().slice(0, 10)
    const year = Number(today.slice(0, 4))
    const kinds = await tx.rows(prepared(types, [tenantId]))
    if (kinds.length === 0) return
    let done = 0
    for (let after = beforeAll; ;) {
      signal.throwIfAborted()
      const batch = await tx.rows(prepared(employees, [tenantId, after]))
      if (batch.length === 0) return
      const ids = batch.map(([id]) => String(id))
      after = ids.at(-1)!
      const known = new Set(
        (await tx.rows(prepared(given, [tenantId, ids, `${year}-01-01`]))).map((row) => row.join(' ')),
      )
      for (const [id, userId, hireDate] of batch) {
        const employment = { hireDate: hireDate as string | null, terminationDate: null }
        const entries = kinds.flatMap(([leaveTypeId, accrual, annualDays]) =>
          [year, year + 1]
            .flatMap((of) => accruals(accrual as LeaveAccrual, String(annualDays), employment, of, today))
            .filter(({ effectiveOn }) => !known.has([id, leaveTypeId, effectiveOn].join(' ')))
            .map((one) => ({ ...one, leaveTypeId: String(leaveTypeId), kind: 'ACCRUAL' as const })),
        )
        await addEntries(context, tx, { id: String(id), userId: userId as string | null }, entries)
      }
      progress((done += batch.length))
    }
  },
}
