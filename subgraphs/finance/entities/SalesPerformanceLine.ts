import { Column, Entity, PrimaryColumn } from 'typeorm'
import type { CommissionLine } from '../rules/commission'

/** One step of how a performance was reckoned. Replaced with the others, until the performance is submitted. */
@Entity({ schema: 'finance', name: 'sales_performance_lines' })
export class SalesPerformanceLine implements CommissionLine {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'uuid' })
  performanceId: string

  /** The seller, and below who leads the team: both see it. */
  @Column({ type: 'uuid' })
  userId: string

  @Column({ type: 'uuid', nullable: true })
  managerId: string | null

  @Column({ type: 'int' })
  position: number

  @Column({ type: 'text' })
  kind: CommissionLine['kind']

  @Column({ type: 'uuid', nullable: true })
  ruleId: string | null

  @Column({ type: 'varchar', length: 100, nullable: true })
  sourceType: string | null

  @Column({ type: 'varchar', length: 200, nullable: true })
  sourceId: string | null

  @Column({ type: 'date', nullable: true })
  day: string | null

  @Column({ type: 'text' })
  currency: string

  @Column({ type: 'bigint' })
  revenue: string

  @Column({ type: 'bigint' })
  base: string

  @Column({ type: 'numeric', nullable: true })
  rate: string | null

  @Column({ type: 'bigint', nullable: true })
  flatAmount: string | null

  @Column({ type: 'numeric', nullable: true })
  share: string | null

  @Column({ type: 'bigint' })
  commission: string

  @Column({ type: 'uuid', nullable: true })
  adjustsId: string | null

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
