import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type LeaveAccrual = 'NONE' | 'ANNUAL' | 'MONTHLY'

/** A kind of leave and its rules. Days are decimal texts with two decimals at most. */
@Entity({ schema: 'hr', name: 'leave_types' })
export class LeaveType extends TenantRow {
  @Column({ type: 'varchar', length: 20 })
  code: string

  @Column({ type: 'varchar', length: 100 })
  name: string

  @Column({ type: 'boolean', default: true })
  isPaid: boolean

  @Column({ type: 'boolean', default: false })
  isMedical: boolean

  @Column({ type: 'text', default: 'NONE' })
  accrual: LeaveAccrual

  @Column({ type: 'numeric', nullable: true })
  annualDays: string | null

  @Column({ type: 'numeric', default: 0 })
  carryOverDays: string

  /** Month and day, `03-31`. */
  @Column({ type: 'varchar', length: 5, nullable: true })
  carryOverExpires: string | null

  @Column({ type: 'boolean', default: false })
  allowsNegative: boolean

  @Column({ type: 'boolean', default: true })
  needsApproval: boolean

  @Column({ type: 'int', default: 0 })
  noticeDays: number

  @Column({ type: 'boolean', default: true })
  paysOut: boolean

  @Column({ type: 'boolean', default: true })
  isActive: boolean
}
