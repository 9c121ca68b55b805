import { Column, Entity, PrimaryColumn } from 'typeorm'

export type LeaveEntryKind =
  'ACCRUAL' | 'USE' | 'CARRY_OVER' | 'EXPIRY' | 'ADJUSTMENT' | 'PAYOUT' | 'REVERSAL'

/** Days that an employee gets or uses. Never changed. */
@Entity({ schema: 'hr', name: 'leave_ledger_entries' })
export class LeaveLedgerEntry {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'uuid' })
  employeeId: string

  @Column({ type: 'uuid' })
  leaveTypeId: string

  @Column({ type: 'text' })
  kind: LeaveEntryKind

  /** Negative when they are used or lapse. */
  @Column({ type: 'numeric' })
  days: string

  @Column({ type: 'date' })
  effectiveOn: string

  @Column({ type: 'date', nullable: true })
  validUntil: string | null

  @Column({ type: 'uuid', nullable: true })
  requestId: string | null

  @Column({ type: 'uuid', nullable: true })
  reversesId: string | null

  @Column({ type: 'varchar', length: 500, nullable: true })
  note: string | null

  /** The employee's login. Written by `leave/own-leave.ts` alone: row rules look at it. */
  @Column({ type: 'uuid', nullable: true })
  userId: string | null

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
