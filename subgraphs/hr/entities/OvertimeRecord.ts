import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'
import type { OvertimeKind } from '../rules/overtime'

export type OvertimeStatus = 'PROPOSED' | 'REQUESTED' | 'APPROVED' | 'REJECTED' | 'COMPENSATED'
export type Compensation = 'PAY' | 'TIME'

/** Minutes of a day beyond what is owed. */
@Entity({ schema: 'hr', name: 'overtime_records' })
export class OvertimeRecord extends TenantRow {
  @Column({ type: 'uuid' })
  employeeId: string

  @Column({ type: 'uuid' })
  attendanceId: string

  @Column({ type: 'date' })
  workDate: string

  @Column({ type: 'text' })
  kind: OvertimeKind

  /** Rounded down. */
  @Column({ type: 'int' })
  minutes: number

  @Column({ type: 'int' })
  exactMinutes: number

  /** As the rule said when it was found; a decimal text with two decimals at most. */
  @Column({ type: 'numeric' })
  factor: string

  @Column({ type: 'boolean', default: false })
  isOverCap: boolean

  @Column({ type: 'text', default: 'PROPOSED' })
  status: OvertimeStatus

  @Column({ type: 'text', nullable: true })
  compensation: Compensation | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  compensatedAt: string | null

  @Column({ type: 'uuid', nullable: true })
  leaveEntryId: string | null

  @Column({ type: 'varchar', length: 1000, nullable: true })
  reason: string | null

  /** Null of what was found in attendance. */
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
