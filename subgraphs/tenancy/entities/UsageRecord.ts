import { Column, Entity, PrimaryColumn } from 'typeorm'

export type UsageMeter = 'API_CALLS' | 'STORAGE_GB' | 'STORED_RECORDS' | 'ACTIVE_USERS'

/** A reading of a meter, or a correction of one: written once, never changed or removed. */
@Entity({ schema: 'tenancy', name: 'usage_records' })
export class UsageRecord {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'uuid' })
  subscriptionId: string

  @Column({ type: 'text' })
  meter: UsageMeter

  /** A decimal of at most four places; negative in corrections alone. */
  @Column({ type: 'numeric' })
  quantity: string

  /** Of a correction that of the reading. */
  @Column({ type: 'timestamptz', precision: 3 })
  occurredAt: string

  @Column({ type: 'varchar', length: 100 })
  source: string

  /** Unique within the source. */
  @Column({ type: 'varchar', length: 200 })
  externalId: string

  @Column({ type: 'uuid', nullable: true })
  correctionOfId: string | null

  @Column({ type: 'jsonb', default: {} })
  properties: unknown

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  recordedAt: string
}
