import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type RemoteKind = 'HOME' | 'TRAVEL' | 'CLIENT' | 'ABROAD'
export type RemoteStatus = 'REQUESTED' | 'APPROVED' | 'OPEN' | 'ENDED' | 'REJECTED' | 'CANCELLED'

/** Work away from the tenant's places: a day that is asked for, or from when to when it was. */
@Entity({ schema: 'hr', name: 'remote_work_sessions' })
export class RemoteWorkSession extends TenantRow {
  @Column({ type: 'uuid' })
  employeeId: string

  @Column({ type: 'uuid', nullable: true })
  attendanceId: string | null

  /** The day on which it began, or is to begin, in the zone of the place. */
  @Column({ type: 'date' })
  workDate: string

  /** The last day that it was on. */
  @Column({ type: 'date' })
  lastDate: string

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  startedAt: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  endedAt: string | null

  @Column({ type: 'int', nullable: true })
  minutes: number | null

  @Column({ type: 'varchar', length: 64 })
  timeZone: string

  @Column({ type: 'text' })
  countryCode: string

  @Column({ type: 'varchar', length: 100, nullable: true })
  place: string | null

  @Column({ type: 'text' })
  kind: RemoteKind

  @Column({ type: 'text' })
  status: RemoteStatus

  /** True when it began the attendance, and so ends it. */
  @Column({ type: 'boolean', default: false })
  makesAttendance: boolean

  @Column({ type: 'boolean', default: false })
  isOverlong: boolean

  @Column({ type: 'varchar', length: 1000, nullable: true })
  note: string | null

  /** The user who asked for the day or began the work, if that was not the employee. */
  @Column({ type: 'uuid', nullable: true })
  requestedById: string | null

  @Column({ type: 'uuid', nullable: true })
  approvedById: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  decidedAt: string | null

  @Column({ type: 'varchar', length: 1000, nullable: true })
  decisionNote: string | null

  /** The user who is to decide. Written with the row, then by `attendance/own-time.ts` alone: row rules look at it. */
  @Column({ type: 'uuid', nullable: true })
  approverId: string | null

  /** The employee's login. Written with the row, then by `attendance/own-time.ts` alone: row rules look at it. */
  @Column({ type: 'uuid', nullable: true })
  userId: string | null
}
