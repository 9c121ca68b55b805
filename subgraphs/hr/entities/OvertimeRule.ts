import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

/** Thresholds and factors of overtime from a day on. Factors are decimal texts with two decimals at most. */
@Entity({ schema: 'hr', name: 'overtime_rules' })
export class OvertimeRule extends TenantRow {
  @Column({ type: 'date' })
  validFrom: string

  /** Null: those of the employee's calendar. */
  @Column({ type: 'int', nullable: true })
  dailyMinutes: number | null

  @Column({ type: 'int', nullable: true })
  weeklyMinutes: number | null

  @Column({ type: 'int', default: 2880 })
  weeklyCapMinutes: number

  @Column({ type: 'int', default: 15 })
  roundingMinutes: number

  @Column({ type: 'varchar', length: 5, default: '22:00' })
  nightFrom: string

  @Column({ type: 'varchar', length: 5, default: '06:00' })
  nightTo: string

  @Column({ type: 'numeric', default: 1 })
  dailyFactor: string

  @Column({ type: 'numeric', default: 1 })
  weeklyFactor: string

  @Column({ type: 'numeric', default: 1 })
  nightFactor: string

  @Column({ type: 'numeric', default: 1 })
  sundayFactor: string

  @Column({ type: 'numeric', default: 1 })
  holidayFactor: string

  @Column({ type: 'text', default: 'PROPOSED' })
  status: 'PROPOSED' | 'APPROVED'

  @Column({ type: 'uuid' })
  proposedById: string

  @Column({ type: 'uuid', nullable: true })
  approvedById: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  approvedAt: string | null
}
