import { Column, Entity, PrimaryColumn } from 'typeorm'
import type { DunningLevel } from '../rules/dunning'

/** Which steps are taken about a tenant's overdue invoices: the latest row holds. Written once. */
@Entity({ schema: 'tenancy', name: 'dunning_policies' })
export class DunningPolicy {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  /** 1 for the first. */
  @Column({ type: 'int' })
  revision: number

  /** That of all fees; null where there are none. */
  @Column({ type: 'text', nullable: true })
  currency: string | null

  @Column({ type: 'jsonb' })
  levels: readonly DunningLevel[]

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
