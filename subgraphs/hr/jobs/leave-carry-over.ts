import type { Job } from '../../../kernel/jobs'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { Employee } from '../entities/Employee'
import type { HrUserErrorCode } from '../generated'
import { addEntries } from '../leave/ledger'
import { dayNumber, dayOfNumber } from '../rules/half-days'
import { decimalOf, hundredthsOf } from '../rules/hundredths'
import { carryOver } from '../rules/leave-accrual'

/** Balances at the end of a year, less what is asked for in it, where the year is not closed yet. */
const endBalances = `
  SELECT e.employee_id, e.leave_type_id, t.carry_over_days, t.carry_over_expires, sum(e.days) - (
           SELECT coalesce(sum((p.part ->> 'days')::numeric), 0)
             FROM hr.leave_requests r, jsonb_array_elements(r.parts) AS p (part)
            WHERE r.tenant_id = $1 AND r.employee_id = e.employee_id AND r.leave_type_id = e.leave_type_id
              AND r.status = 'PENDING' AND p.part ->> 'from' <= $2::text)
    FROM hr.leave_ledger_entries e JOIN hr.leave_types t ON t.tenant_id = $1 AND t.id = e.leave_type_id
   WHERE e.tenant_id = $1 AND e.effective_on <= $2::date AND t.accrual <> 'NONE' AND NOT t.allows_negative
     AND EXISTS (SELECT FROM hr.employees w WHERE w.tenant_id = $1 AND w.id = e.employee_id AND w.is_active)
     AND NOT EXISTS (
       SELECT FROM hr.leave_ledger_entries c WHERE c.tenant_id = $1 AND c.employee_id = e.employee_id
          AND c.leave_type_id = e.leave_type_id AND c.effective_on = $2::date + 1 AND c.kind IN ('CARRY_OVER', 'EXPIRY'))
   GROUP BY e.employee_id, e.leave_type_id, t.carry_over_days, t.carry_over_expires
  HAVING sum(e.days) > 0 ORDER BY e.employee_id, e.leave_type_id`

/** Days that went over and are to be used by now, with what was used since, and how many lapsed. */
const lapsing = `
  SELECT c.employee_id, c.leave_type_id, c.valid_until, c.days, (
           SELECT coalesce(-sum(u.days), 0) FROM hr.leave_ledger_entries u
            WHERE u.tenant_id = $1 AND u.employee_id = c.employee_id AND u.leave_type_id = c.leave_type_id
              AND u.effective_on >= c.effective_on AND u.effective_on <= c.valid_until
              AND u.kind IN ('USE', 'REVERSAL')), (
           SELECT coalesce(-sum(x.days), 0) FROM hr.leave_ledger_entries x
            WHERE x.tenant_id = $1 AND x.employee_id = c.employee_id AND x.leave_type_id = c.leave_type_id
              AND x.effective_on = c.valid_until + 1 AND x.kind = 'EXPIRY')
    FROM hr.leave_ledger_entries c
   WHERE c.tenant_id = $1 AND c.kind = 'CARRY_OVER' AND c.days > 0 AND c.valid_until < $3
     AND c.effective_on = $2 ORDER BY c.employee_id, c.leave_type_id`

/**
 * Closes the leave of the year before, and lets days lapse that went over and were not used in time, the ones that went over being
 * used first. It does each once; what changes later is made up for, so it may run at any time and again.
 */
export const leaveCarryOver: Job = {
  name: 'leave-carry-over',
  schedule: { cron: '20 2 * * *', timeZone: 'UTC' },
  async run(context, transaction, _, { signal }) {
    const tx = transaction as MutationTransaction<HrUserErrorCode>
    const { tenantId } = context.binding
    const today = context.clock.now().toISOString().slice(0, 10)
    const year = Number(today.slice(0, 4))
    const [lastDay, firstDay] = [`${year - 1}-12-31`, `${year}-01-01`]
    for (const row of await tx.rows(prepared(endBalances, [tenantId, lastDay]))) {
      signal.throwIfAborted()
      const [employeeId, leaveTypeId, most, expires, balance] = row.map((value) => value as string | null)
      const { kept, lapsed } = carryOver(hundredthsOf(balance!), hundredthsOf(most!))
      const entries = [
        ...(lapsed > 0 ? [{ kind: 'EXPIRY' as const, days: decimalOf(-lapsed), effectiveOn: firstDay }] : []),
        ...(kept > 0
          ? [
              { kind: 'CARRY_OVER' as const, days: decimalOf(-kept), effectiveOn: lastDay },
              {
                kind: 'CARRY_OVER' as const,
                days: decimalOf(kept),
                effectiveOn: firstDay,
                validUntil: expires && `${year}-${expires}`,
              },
            ]
          : []),
      ]
      const owner = await tx.find(Employee, employeeId!)
      await addEntries(
        context,
        tx,
        owner,
        entries.map((entry) => ({ ...entry, leaveTypeId: leaveTypeId! })),
      )
    }
    for (const row of await tx.rows(prepared(lapsing, [tenantId, firstDay, today]))) {
      signal.throwIfAborted()
      const [employeeId, leaveTypeId, validUntil, days, used, lapsed] = row.map(String)
      const unused = hundredthsOf(days!) - Math.max(0, hundredthsOf(used!)) - hundredthsOf(lapsed!)
      if (unused <= 0) continue
      const effectiveOn = dayOfNumber(dayNumber(validUntil!) + 1)
      const owner = await tx.find(Employee, employeeId!)
      await addEntries(context, tx, owner, [
        { leaveTypeId: leaveTypeId!, kind: 'EXPIRY', days: decimalOf(-unused), effectiveOn },
      ])
    }
  },
}
