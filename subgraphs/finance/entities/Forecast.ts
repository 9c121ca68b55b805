import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'
import type { FactorMode, ForecastMethod } from '../rules/forecast'

export type ForecastType = 'REVENUE' | 'EXPENSE' | 'CASH_FLOW' | 'HEADCOUNT' | 'PIPELINE'

/** Amounts that are expected of some months. Once published it never changes. */
@Entity({ schema: 'finance', name: 'forecasts' })
export class Forecast extends TenantRow {
  @Column({ type: 'varchar', length: 100 })
  name: string

  @Column({ type: 'int', default: 1 })
  revision: number

  @Column({ type: 'uuid', nullable: true })
  revisesId: string | null

  @Column({ type: 'text' })
  type: ForecastType

  @Column({ type: 'date' })
  periodStart: string

  /** The day after the last one. */
  @Column({ type: 'date' })
  periodEnd: string

  @Column({ type: 'uuid', nullable: true })
  departmentId: string | null

  @Column({ type: 'text' })
  currency: string

  /** Of all months before factors, in the currency's smallest unit, as are all amounts. */
  @Column({ type: 'bigint' })
  base: string

  @Column({ type: 'bigint' })
  value: string

  /** One amount for each month, which add up to the base. */
  @Column({ type: 'jsonb' })
  months: readonly string[]

  @Column({ type: 'text', default: 'MANUAL' })
  method: ForecastMethod

  @Column({ type: 'int', default: 1 })
  methodVersion: number

  /** Amounts of the months just before the first one; none of a manual forecast. */
  @Column({ type: 'jsonb', default: [] })
  history: readonly string[]

  /** 0 to 100. */
  @Column({ type: 'numeric', nullable: true })
  confidenceScore: string | null

  @Column({ type: 'text', nullable: true })
  factorMode: FactorMode | null

  /** Of its factors; null when it never had any. */
  @Column({ type: 'varchar', length: 64, nullable: true })
  factorsChecksum: string | null

  @Column({ type: 'text', default: 'DRAFT' })
  status: 'DRAFT' | 'PUBLISHED'

  @Column({ type: 'uuid', nullable: true })
  createdById: string | null

  @Column({ type: 'uuid', nullable: true })
  publishedById: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  publishedAt: string | null
}
