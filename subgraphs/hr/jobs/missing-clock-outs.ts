import type { Job } from '../../../kernel/jobs'
import { prepared } from '../../../kernel/statement'
import { longestOpenMs } from '../rules/attendance-time'

const forgotten = `SELECT id FROM hr.attendance_records
  WHERE tenant_id = $1 AND status = 'OPEN' AND clock_in_at < $2 ORDER BY id LIMIT 1000`
const close = `UPDATE hr.attendance_records SET status = 'INCOMPLETE', version = version + 1, updated_at = $3
  WHERE tenant_id = $1 AND id = ANY ($2) AND status = 'OPEN' RETURNING id, version`

/**
 * Closes work that nobody ended: INCOMPLETE, without an end, since nobody knows one. What was ended or closed meanwhile stays
 * as it is, so it may run at any time and again.
 */
export const missingClockOuts: Job = {
  name: 'missing-clock-outs',
  schedule: { cron: '40 * * * *', timeZone: 'UTC' },
  async run(context, tx) {
    const { tenantId } = context.binding
    const now = context.clock.now()
    const before = new Date(now.getTime() - longestOpenMs).toISOString()
    const found = await tx.rows(prepared(forgotten, [tenantId, before]))
    const ids = found.map(([id]) => String(id))
    for (const [id, version] of await tx.rows(prepared(close, [tenantId, ids, now.toISOString()]))) {
      const about = { resourceType: 'AttendanceRecord', resourceId: String(id) }
      const changes = { before: { status: 'OPEN' }, after: { status: 'INCOMPLETE' } }
      tx.audit({ action: 'UPDATE', ...about, changes })
      tx.emit('updated', { type: about.resourceType, id: about.resourceId }, { version, fields: ['status'] })
    }
  },
}
