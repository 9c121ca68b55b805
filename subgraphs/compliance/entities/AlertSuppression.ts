import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

/** Alerts of one type that are counted and not told until a time. */
@Entity({ schema: 'compliance', name: 'alert_suppressions' })
export class AlertSuppression extends TenantRow {
  @Column({ type: 'varchar', length: 100 })
  alertType: string

  @Column({ type: 'timestamptz', precision: 3 })
  until: string

  @Column({ type: 'varchar', length: 2000 })
  reason: string

  /** Counts those that were not told. */
  @Column({ type: 'int', default: 0 })
  suppressed: number

  @Column({ type: 'uuid' })
  createdById: string
}
