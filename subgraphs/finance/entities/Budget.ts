import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

/** The amount that a department may spend in a month or a year. */
@Entity({ schema: 'finance', name: 'budgets' })
export class Budget extends TenantRow {
  @Column({ type: 'uuid' })
  departmentId: string

  @Column({ type: 'int' })
  year: number

  /** 1 to 12; null for the whole year. */
  @Column({ type: 'int', nullable: true })
  month: number | null

  /** Made by the database from year and month. */
  @Column({ type: 'date', insert: false, update: false, nullable: true })
  readonly periodStart: string | null

  /** In the currency's smallest unit. */
  @Column({ type: 'bigint' })
  allocated: string

  /** In the currency's smallest unit. */
  @Column({ type: 'bigint', nullable: true })
  forecastedSpend: string | null

  @Column({ type: 'text' })
  currency: string
}
