import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { AttendanceClosing } from '../entities/AttendanceClosing'
import type { CreateAttendanceClosingInput, HrUserErrorCode } from '../generated'
import { dayIn } from '../rules/zone-time'

type Tx = MutationTransaction<HrUserErrorCode>

const makeGuard = `INSERT INTO hr.number_series (series, last_number) VALUES ('ATTENDANCE_CLOSING', 0)
  ON CONFLICT DO NOTHING`
const shareGuard = `SELECT last_number FROM hr.number_series
  WHERE tenant_id = $1 AND series = 'ATTENDANCE_CLOSING' FOR SHARE`
const takeNumber = `INSERT INTO hr.number_series AS s (series, last_number) VALUES ('ATTENDANCE_CLOSING', 1)
  ON CONFLICT (tenant_id, series) DO UPDATE SET last_number = s.last_number + 1 RETURNING last_number`
const present = `SELECT closed_through FROM hr.attendance_closings
  WHERE tenant_id = $1 ORDER BY closing_number DESC LIMIT 1`
const undecided = `SELECT count(*) FROM hr.attendance_records WHERE tenant_id = $1 AND work_date <= $2
  AND (status IN ('OPEN', 'INCOMPLETE') OR corrected_clock_in_at IS NOT NULL)`

/** Says whose days end last: Baker Island (UTC-12). */
const latestZone = 'Etc/GMT+12'

/** The day until which attendance is closed; null when it is not. */
export async function closedThrough(tx: Pick<Tx, 'rows'>, tenantId: string | null): Promise<string | null> {
  const [row] = await tx.rows(prepared(present, [tenantId]))
  return (row?.[0] ?? null) as string | null
}

/**
 * Ends the mutation when one of the days is closed. None of them is closed before the transaction ends: whoever closes days waits.
 */
export async function requireOpenDays(
  { binding }: SubgraphContext,
  tx: Tx,
  days: readonly string[],
  field: string,
): Promise<void> {
  await tx.run(prepared(makeGuard, []))
  await tx.rows(prepared(shareGuard, [binding.tenantId]))
  const until = await closedThrough(tx, binding.tenantId)
  // Days written in ISO 8601 have the same order as texts as in time.
  if (until !== null && days.some((day) => day <= until))
    tx.fail('WRONG_STATUS', `Attendance is closed until ${until}: have it opened again first`, field)
}

/** Closes attendance until a day, or opens what is later again. */
export async function closeAttendance(
  { binding, clock }: SubgraphContext,
  tx: Tx,
  input: CreateAttendanceClosingInput,
): Promise<AttendanceClosing> {
  if (input.closedThrough >= dayIn(latestZone, clock.now()))
    tx.fail('INVALID', 'closedThrough must have passed everywhere on earth', 'closedThrough')
  if (input.reason === '') tx.fail('INVALID', 'reason must not be empty', 'reason')
  const [number] = await tx.rows(prepared(takeNumber, []))
  const until = await closedThrough(tx, binding.tenantId)
  if (until !== null && input.closedThrough <= until && !input.reason)
    tx.fail('INVALID', `reason must say why days are opened again: closed until ${until}`, 'reason')
  const [row] = await tx.rows(prepared(undecided, [binding.tenantId, input.closedThrough]))
  const count = Number(row![0])
  if (count > 0)
    tx.fail(
      'WRONG_STATUS',
      `${count} records until that day go on, lack their end, or wait for a correction: decide them first`,
      'closedThrough',
    )
  const createdAt = clock.now().toISOString()
  return tx.insert(AttendanceClosing, { ...input, closingNumber: Number(number![0]), createdAt })
}
