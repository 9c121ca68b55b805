import { Column, Entity, PrimaryColumn } from 'typeorm'

/** What a department may spend in a month or a year. */
@Entity({ schema: 'finance', name: 'budgets' })
export class Budget {
  @PrimaryColumn({ name: 'tenant_id', type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ name: 'department_id', type: 'uuid' })
  departmentId: string

  @Column({ type: 'int' })
  year: number

  /** 1 to 12; null for the whole year. */
  @Column({ type: 'int', nullable: true })
  month: number | null

  /** Made by the database from year and month. */
  @Column({ name: 'period_start', type: 'date', insert: false, update: false, nullable: true })
  readonly periodStart: string | null

  /** In the currency's smallest unit. */
  @Column({ type: 'bigint' })
  allocated: string

  /** In the currency's smallest unit. */
  @Column({ name: 'forecasted_spend', type: 'bigint', nullable: true })
  forecastedSpend: string | null

  @Column({ type: 'text' })
  currency: string

  @Column({ type: 'int', default: 1 })
  version: number

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string

  @Column({ name: 'updated_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt: string
}
