import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'
import type { CommissionType, Tier } from '../rules/commission'

export type CommissionRuleStatus = 'DRAFT' | 'APPROVED'

/** By what sales earn commission. Once approved only its end is written. */
@Entity({ schema: 'finance', name: 'commission_rules' })
export class CommissionRule extends TenantRow {
  @Column({ type: 'varchar', length: 100 })
  name: string

  @Column({ type: 'int', default: 1 })
  revision: number

  @Column({ type: 'uuid', nullable: true })
  revisesId: string | null

  @Column({ type: 'text' })
  type: CommissionType

  /** In per cent. */
  @Column({ type: 'numeric' })
  rate: string

  /** In the currency's smallest unit. */
  @Column({ type: 'bigint', nullable: true })
  flatAmount: string | null

  @Column({ type: 'text', nullable: true })
  currency: string | null

  @Column({ type: 'jsonb', default: [] })
  tiers: readonly Tier[]

  @Column({ type: 'boolean', default: true })
  isMarginal: boolean

  @Column({ type: 'varchar', length: 1000, default: 'true' })
  criteria: string

  @Column({ type: 'uuid', nullable: true })
  userId: string | null

  /** Made by the database: true when it is for one user. */
  @Column({ type: 'boolean', insert: false, update: false })
  readonly isPersonal: boolean

  @Column({ type: 'uuid', nullable: true })
  departmentId: string | null

  @Column({ type: 'boolean', default: false })
  isStackable: boolean

  @Column({ type: 'date' })
  startDate: string

  /** The day after the last one. */
  @Column({ type: 'date', nullable: true })
  endDate: string | null

  @Column({ type: 'text', default: 'DRAFT' })
  status: CommissionRuleStatus

  @Column({ type: 'uuid', nullable: true })
  createdById: string | null

  @Column({ type: 'uuid', nullable: true })
  updatedById: string | null

  /** Users who wrote something of the draft. */
  @Column({ type: 'text', array: true, default: [] })
  authorIds: string[]

  @Column({ type: 'uuid', nullable: true })
  approvedById: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  approvedAt: string | null
}
