import { Column, Entity, PrimaryColumn } from 'typeorm'

export type InteractionChannel = 'WEB' | 'MOBILE' | 'EMAIL' | 'CHAT' | 'PHONE'
export type SentimentLabel = 'NEGATIVE' | 'NEUTRAL' | 'POSITIVE'

/** An act or word of a customer, as the system that saw it reported it. Never changed. */
@Entity({ schema: 'insights', name: 'customer_interactions' })
export class CustomerInteraction {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'uuid' })
  customerId: string

  @Column({ type: 'varchar', length: 100 })
  source: string

  /** Unique within its source. */
  @Column({ type: 'varchar', length: 255 })
  externalId: string

  @Column({ type: 'timestamptz', precision: 3 })
  occurredAt: string

  @Column({ type: 'text' })
  channel: InteractionChannel

  @Column({ type: 'varchar', length: 100 })
  eventType: string

  @Column({ type: 'text', nullable: true })
  content: string | null

  @Column({ type: 'double precision', nullable: true })
  sentiment: number | null

  /** Made by the database from the sentiment. */
  @Column({ type: 'text', insert: false, update: false, nullable: true })
  readonly sentimentLabel: SentimentLabel | null

  @Column({ type: 'double precision', nullable: true })
  sentimentConfidence: number | null

  @Column({ type: 'jsonb', default: {} })
  metadata: unknown

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  processedAt: string | null

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
