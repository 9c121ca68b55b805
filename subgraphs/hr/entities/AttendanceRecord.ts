import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type AttendanceSource = 'WEB' | 'MOBILE' | 'DEVICE' | 'IMPORT' | 'MANUAL'
export type AttendanceStatus = 'OPEN' | 'COMPLETE' | 'INCOMPLETE' | 'CORRECTED' | 'APPROVED'

/** Hours that somebody worked. */
@Entity({ schema: 'hr', name: 'attendance_records' })
export class AttendanceRecord extends TenantRow {
  @Column({ type: 'uuid' })
  employeeId: string

  /** The day in the zone on which it began. */
  @Column({ type: 'date' })
  workDate: string

  @Column({ type: 'timestamptz', precision: 3 })
  clockInAt: string

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  clockOutAt: string | null

  @Column({ type: 'varchar', length: 64 })
  timeZone: string

  @Column({ type: 'int', default: 0 })
  breakMinutes: number

  @Column({ type: 'jsonb', default: [] })
  breaks: { startedAt: string; endedAt: string | null }[]

  @Column({ type: 'int', nullable: true })
  workedMinutes: number | null

  @Column({ type: 'text' })
  source: AttendanceSource

  @Column({ type: 'text', default: 'OPEN' })
  status: AttendanceStatus

  @Column({ type: 'boolean', default: false })
  isDespiteLeave: boolean

  /** Times that a waiting correction asks for; all three null when none waits. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  correctedClockInAt: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  correctedClockOutAt: string | null

  @Column({ type: 'int', nullable: true })
  correctedBreakMinutes: number | null

  @Column({ type: 'uuid', nullable: true })
  correctedById: string | null

  @Column({ type: 'varchar', length: 1000, nullable: true })
  correctionReason: string | null

  /** Times as recorded before the first correction; the first null when there was none. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  originalClockInAt: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  originalClockOutAt: string | null

  @Column({ type: 'int', nullable: true })
  originalBreakMinutes: number | null

  /** The user who began it or wrote it by hand, if that was not the employee. */
  @Column({ type: 'uuid', nullable: true })
  recordedById: string | null

  /** Users other than the employee who recorded something of it. */
  @Column({ type: 'uuid', array: true, default: [] })
  authorIds: string[]

  @Column({ type: 'uuid', nullable: true })
  approvedById: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  decidedAt: string | null

  @Column({ type: 'varchar', length: 1000, nullable: true })
  decisionNote: string | null

  /** True when overtime was looked for since it was written or corrected. */
  @Column({ type: 'boolean', default: false })
  isOvertimeChecked: boolean

  /** The user who is to decide. Written with the row, then by `attendance/own-time.ts` alone: row rules look at it. */
  @Column({ type: 'uuid', nullable: true })
  approverId: string | null

  /** The employee's login. Written with the row, then by `attendance/own-time.ts` alone: row rules look at it. */
  @Column({ type: 'uuid', nullable: true })
  userId: string | null
}
