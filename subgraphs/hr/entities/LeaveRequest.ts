import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'
import type { DayHalf } from './Holiday'

export type LeaveStatus = 'PENDING' | 'APPROVED' | 'REJECTED' | 'CANCELLED' | 'REVOKED'

/** Days that leave takes of one year: from its first day in it, a decimal number. */
export interface LeavePart {
  from: string
  days: string
}

/** A request to be away. */
@Entity({ schema: 'hr', name: 'leave_requests' })
export class LeaveRequest extends TenantRow {
  @Column({ type: 'varchar', length: 20 })
  requestNumber: string

  @Column({ type: 'uuid' })
  employeeId: string

  @Column({ type: 'uuid' })
  leaveTypeId: string

  @Column({ type: 'date' })
  startDate: string

  @Column({ type: 'text', default: 'FULL' })
  startHalf: DayHalf

  @Column({ type: 'date' })
  endDate: string

  @Column({ type: 'text', default: 'FULL' })
  endHalf: DayHalf

  @Column({ type: 'numeric' })
  days: string

  /** The days of each year. */
  @Column({ type: 'jsonb', default: [] })
  parts: LeavePart[]

  @Column({ type: 'varchar', length: 1000, nullable: true })
  reason: string | null

  @Column({ type: 'text', default: 'PENDING' })
  status: LeaveStatus

  /** Written by `leave/own-leave.ts` alone: row rules look at it. */
  @Column({ type: 'uuid', nullable: true })
  approverId: string | null

  /** The users who handed the decision on. */
  @Column({ type: 'uuid', array: true, default: () => "'{}'" })
  handedOnBy: string[]

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  decidedAt: string | null

  @Column({ type: 'varchar', length: 1000, nullable: true })
  decisionNote: string | null

  /** The employee's login. Written by `leave/own-leave.ts` alone: row rules look at it. */
  @Column({ type: 'uuid', nullable: true })
  userId: string | null

  /** Written by `leave/own-leave.ts` alone: row rules look at it. */
  @Column({ type: 'boolean', default: false })
  isMedical: boolean
}
