import { Column, Entity, PrimaryColumn } from 'typeorm'

/** The last day of attendance that is closed: the newest closing holds. Never changed. */
@Entity({ schema: 'hr', name: 'attendance_closings' })
export class AttendanceClosing {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  /** Counted under a lock: the highest one holds. */
  @Column({ type: 'int' })
  closingNumber: number

  /** The last day that is closed. */
  @Column({ type: 'date' })
  closedThrough: string

  @Column({ type: 'varchar', length: 500, nullable: true })
  reason: string | null

  @Column({ type: 'uuid', nullable: true })
  createdById: string | null

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
