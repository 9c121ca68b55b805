import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type FiscalPeriodStatus = 'OPEN' | 'SOFT_CLOSED' | 'CLOSED'

/** A month of the books. */
@Entity({ schema: 'finance', name: 'fiscal_periods' })
export class FiscalPeriod extends TenantRow {
  @Column({ type: 'int' })
  year: number

  /** 1 to 12 */
  @Column({ type: 'int' })
  month: number

  /** Made by the database from year and month. */
  @Column({ type: 'date', insert: false, update: false, nullable: true })
  readonly startsOn: string | null

  @Column({ type: 'text' })
  status: FiscalPeriodStatus

  @Column({ type: 'uuid', nullable: true })
  softClosedById: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  softClosedAt: string | null

  @Column({ type: 'uuid', nullable: true })
  closedById: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  closedAt: string | null

  @Column({ type: 'uuid', nullable: true })
  reopenRequestedById: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  reopenRequestedAt: string | null

  @Column({ type: 'varchar', length: 500, nullable: true })
  reopenReason: string | null

  @Column({ type: 'uuid', nullable: true })
  reopenedById: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  reopenedAt: string | null
}
