import { Column, Entity, PrimaryColumn } from 'typeorm'

export type InteractionChannel = 'WEB' | 'MOBILE' | 'EMAIL' | 'CHAT' | 'PHONE'
export type SentimentLabel = 'NEGATIVE' | 'NEUTRAL' | 'POSITIVE'

/** Something a customer did or said, as the system that saw it reported it. Never changed. */
@Entity({ schema: 'insights', name: 'customer_interactions' })
export class CustomerInteraction {
  @PrimaryColumn({ name: 'tenant_id', type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ name: 'customer_id', type: 'uuid' })
  customerId: string

  @Column({ type: 'varchar', length: 100 })
  source: string

  /** Unique within its source. */
  @Column({ name: 'external_id', type: 'varchar', length: 255 })
  externalId: string

  @Column({ name: 'occurred_at', type: 'timestamptz', precision: 3 })
  occurredAt: string

  @Column({ type: 'text' })
  channel: InteractionChannel

  @Column({ name: 'event_type', type: 'varchar', length: 100 })
  eventType: string

  @Column({ type: 'text', nullable: true })
  content: string | null

  @Column({ type: 'double precision', nullable: true })
  sentiment: number | null

  /** Made by the database from the sentiment. */
  @Column({ name: 'sentiment_label', type: 'text', insert: false, update: false, nullable: true })
  readonly sentimentLabel: SentimentLabel | null

  @Column({ name: 'sentiment_confidence', type: 'double precision', nullable: true })
  sentimentConfidence: number | null

  @Column({ type: 'jsonb', default: {} })
  metadata: unknown

  @Column({ name: 'processed_at', type: 'timestamptz', precision: 3, nullable: true })
  processedAt: string | null

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
