import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type SalesPerformanceStatus = 'DRAFT' | 'SUBMITTED' | 'APPROVED' | 'PAID' | 'DISPUTED'

/** Sales of somebody in a month in one currency, and what they earn. Once approved its amounts never change. */
@Entity({ schema: 'finance', name: 'sales_performances' })
export class SalesPerformance extends TenantRow {
  @Column({ type: 'uuid' })
  userId: string

  /** As it was when the row was made. */
  @Column({ type: 'uuid', nullable: true })
  managerId: string | null

  @Column({ type: 'date' })
  periodStart: string

  /** The day after the last one: made by the database from the first. */
  @Column({ type: 'date', insert: false, update: false })
  readonly periodEnd: string

  @Column({ type: 'text' })
  currency: string

  /** In the currency's smallest unit; so is the commission. */
  @Column({ type: 'bigint', default: '0' })
  revenue: string

  @Column({ type: 'bigint', default: '0' })
  commission: string

  @Column({ type: 'text', default: 'DRAFT' })
  status: SalesPerformanceStatus

  /** Of its lines. */
  @Column({ type: 'varchar', length: 64, nullable: true })
  linesChecksum: string | null

  @Column({ type: 'uuid', nullable: true })
  submittedById: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  submittedAt: string | null

  @Column({ type: 'uuid', nullable: true })
  approvedById: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  approvedAt: string | null

  @Column({ type: 'varchar', length: 1000, nullable: true })
  disputeReason: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  disputedAt: string | null

  @Column({ type: 'uuid', nullable: true })
  transactionId: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  paidAt: string | null
}
