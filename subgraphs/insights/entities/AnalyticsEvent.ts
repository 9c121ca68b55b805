import { Column, Entity, PrimaryColumn } from 'typeorm'

export type AnalyticsEventType = 'USER_ACTION' | 'SYSTEM_EVENT' | 'AI_PREDICTION'

/** An event in a tenant's products. Partitioned by month; never changed. */
@Entity({ schema: 'insights', name: 'analytics_events' })
export class AnalyticsEvent {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'timestamptz', precision: 3 })
  occurredAt: string

  /** Made from `occurredAt`, so that a look-up finds the month. */
  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'varchar', length: 100 })
  source: string

  /** Unique within its source, which `analytics_event_keys` sees to. */
  @Column({ type: 'varchar', length: 255 })
  eventId: string

  @Column({ type: 'text' })
  eventType: AnalyticsEventType

  @Column({ type: 'varchar', length: 100 })
  name: string

  @Column({ type: 'uuid', nullable: true })
  userId: string | null

  @Column({ type: 'uuid', nullable: true })
  customerId: string | null

  @Column({ type: 'varchar', length: 100, nullable: true })
  sessionId: string | null

  @Column({ type: 'jsonb', default: {} })
  properties: unknown

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
