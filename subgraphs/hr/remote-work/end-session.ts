import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { longestOpenMs, minutesBetween } from '../rules/attendance-time'
import { lastDayOf, overlongMs } from '../rules/remote-days'

/**
 * The statements here go past the row rule: whoever clocks somebody out, or records that their work ends, need not see where
 * they work; nor does a job.
 */
type Tx = Pick<MutationTransaction, 'rows' | 'audit' | 'emit'>
type Context = Pick<SubgraphContext, 'binding' | 'clock'>

const columns = 'id, work_date, time_zone, started_at, is_overlong'
const openText = `SELECT ${columns} FROM hr.remote_work_sessions
  WHERE tenant_id = $1 AND employee_id = $2 AND status = 'OPEN' FOR UPDATE`
const longText = `SELECT ${columns} FROM hr.remote_work_sessions
  WHERE tenant_id = $1 AND status = 'OPEN' AND started_at < $2 AND (NOT is_overlong OR started_at < $3)
  ORDER BY id LIMIT 1000 FOR UPDATE`
const writeText = `UPDATE hr.remote_work_sessions
  SET status = $4, ended_at = $5, minutes = $6, last_date = $7, is_overlong = $8, version = version + 1, updated_at = $3
  WHERE tenant_id = $1 AND id = $2 RETURNING version`
const giveBackText = `UPDATE hr.remote_work_sessions
  SET status = 'CANCELLED', decision_note = 'The work ends', version = version + 1, updated_at = $4
  WHERE tenant_id = $1 AND employee_id = $2 AND work_date > $3 AND status IN ('REQUESTED', 'APPROVED')
  RETURNING id, version`

/** Remote work that goes on. */
export interface OpenSession {
  id: string
  workDate: string
  timeZone: string
  startedAt: string
  isOverlong: boolean
}

const sessionOf = ([id, workDate, timeZone, startedAt, isOverlong]: unknown[]): OpenSession => ({
  id: String(id),
  workDate: String(workDate),
  timeZone: String(timeZone),
  startedAt: String(startedAt),
  isOverlong: isOverlong === true,
})

/** The session of an employee that is open, locked; null when there is none. */
export async function findOpenSession(
  { binding }: Context,
  tx: Tx,
  employeeId: string,
): Promise<OpenSession | null> {
  const [row] = await tx.rows(prepared(openText, [binding.tenantId, employeeId]))
  return row ? sessionOf(row) : null
}

const openFor = ({ startedAt }: OpenSession, now: Date) => now.getTime() - Date.parse(startedAt)

/** Tells whether a session has gone on for longer than anybody works: nobody knows when it ended. */
export const isSessionForgotten = (session: OpenSession, now: Date): boolean =>
  openFor(session, now) > longestOpenMs

/** Ends a session at this instant; one that is forgotten without an end. */
export async function endSession(context: Context, tx: Tx, session: OpenSession): Promise<void> {
  const now = context.clock.now()
  const endedAt = isSessionForgotten(session, now) ? null : now.toISOString()
  await write(context, tx, session, {
    status: 'ENDED',
    endedAt,
    minutes: endedAt === null ? null : minutesBetween(session.startedAt, endedAt),
    lastDate: endedAt === null ? session.workDate : lastDayOf(session.workDate, session.timeZone, now),
    isOverlong: openFor(session, now) > overlongMs,
  })
}

interface Written {
  status: 'OPEN' | 'ENDED'
  endedAt: string | null
  minutes: number | null
  lastDate: string
  isOverlong: boolean
}

async function write(
  { binding, clock }: Context,
  tx: Tx,
  { id, workDate, isOverlong }: OpenSession,
  after: Written,
): Promise<void> {
  const values = [after.status, after.endedAt, after.minutes, after.lastDate, after.isOverlong]
  const key = [binding.tenantId, id, clock.now().toISOString()]
  const [row] = await tx.rows(prepared(writeText, [...key, ...values]))
  const before = { status: 'OPEN', endedAt: null, minutes: null, lastDate: workDate, isOverlong }
  note(tx, id, Number(row![0]), { before, after: { ...after } })
}

function note(
  tx: Tx,
  id: string,
  version: number,
  changes: { before: Record<string, unknown>; after: Record<string, unknown> },
): void {
  const about = { resourceType: 'RemoteWorkSession', resourceId: id }
  tx.audit({ action: 'UPDATE', ...about, changes })
  tx.emit('updated', { type: about.resourceType, id }, { version, fields: Object.keys(changes.after) })
}

/** Ends the session of an employee that is open, if there is one. The row of the employee is locked. */
export async function endSessionOf(context: Context, tx: Tx, employeeId: string): Promise<void> {
  const open = await findOpenSession(context, tx, employeeId)
  if (open) await endSession(context, tx, open)
}

/** Flags what has gone on for more than 12 hours, and ends what has for more than 16. */
export async function lookAtLongSessions(context: Context, tx: Tx): Promise<void> {
  const now = context.clock.now()
  const before = (ms: number) => new Date(now.getTime() - ms).toISOString()
  const values = [context.binding.tenantId, before(overlongMs), before(longestOpenMs)]
  for (const row of await tx.rows(prepared(longText, values))) {
    const session = sessionOf(row)
    const flagged = { status: 'OPEN', endedAt: null, minutes: null, lastDate: session.workDate } as const
    if (isSessionForgotten(session, now)) await endSession(context, tx, session)
    else await write(context, tx, session, { ...flagged, isOverlong: true })
  }
}

/** Gives back the days of an employee whose work ends before them. The row of the employee is locked. */
export async function giveDaysBack(
  { binding, clock }: Context,
  tx: Tx,
  employeeId: string,
  lastDay: string,
): Promise<void> {
  const values = [binding.tenantId, employeeId, lastDay, clock.now().toISOString()]
  for (const [id, version] of await tx.rows(prepared(giveBackText, values)))
    note(tx, String(id), Number(version), { before: {}, after: { status: 'CANCELLED' } })
}
