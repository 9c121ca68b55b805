import { Column, Entity, PrimaryColumn } from 'typeorm'
import type { Factor } from '../rules/forecast'

/** An estimate of a forecast's value, or what changes it. Replaced with the others, until the forecast is published. */
@Entity({ schema: 'finance', name: 'forecast_factors' })
export class ForecastFactor implements Factor {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'uuid' })
  forecastId: string

  @Column({ type: 'int' })
  position: number

  @Column({ type: 'varchar', length: 100 })
  name: string

  @Column({ type: 'text' })
  currency: string

  /** In the currency's smallest unit; so is the contribution. */
  @Column({ type: 'bigint' })
  value: string

  @Column({ type: 'numeric' })
  weight: string

  @Column({ type: 'bigint' })
  contribution: string

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
