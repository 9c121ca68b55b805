import { Column, Entity, PrimaryColumn } from 'typeorm'

/** A tenant's end customer. */
@Entity({ schema: 'insights', name: 'customers' })
export class Customer {
  @PrimaryColumn({ name: 'tenant_id', type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ name: 'external_id', type: 'varchar', length: 255 })
  externalId: string

  /** In lower case: the normal form. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  email: string | null

  @Column({ name: 'first_name', type: 'varchar', length: 100, nullable: true })
  firstName: string | null

  @Column({ name: 'last_name', type: 'varchar', length: 100, nullable: true })
  lastName: string | null

  /** The full name as somebody wrote it, where first and last name joined are not it. */
  @Column({ name: 'full_name_override', type: 'varchar', length: 255, nullable: true })
  fullNameOverride: string | null

  /** Made by the database from the three above. */
  @Column({ name: 'full_name', type: 'text', insert: false, update: false, nullable: true })
  readonly fullName: string | null

  @Column({ type: 'varchar', length: 255, nullable: true })
  company: string | null

  @Column({ type: 'varchar', length: 100, nullable: true })
  industry: string | null

  @Column({ type: 'varchar', length: 100, nullable: true })
  segment: string | null

  /** In the currency's smallest unit. */
  @Column({ name: 'lifetime_value', type: 'bigint', nullable: true })
  lifetimeValue: string | null

  @Column({ name: 'lifetime_value_currency', type: 'text', nullable: true })
  lifetimeValueCurrency: string | null

  @Column({ name: 'churn_risk', type: 'double precision', nullable: true })
  churnRisk: number | null

  /** Made by the database from the next two. */
  @Column({
    name: 'average_sentiment',
    type: 'double precision',
    insert: false,
    update: false,
    nullable: true,
  })
  readonly averageSentiment: number | null

  /** Of the interactions that have a sentiment; exact, hence a text. */
  @Column({ name: 'sentiment_sum', type: 'numeric', default: 0 })
  sentimentSum: string

  @Column({ name: 'sentiment_count', type: 'int', default: 0 })
  sentimentCount: number

  @Column({ name: 'interaction_count', type: 'int', default: 0 })
  interactionCount: number

  @Column({ name: 'first_seen_at', type: 'timestamptz', precision: 3 })
  firstSeenAt: string

  @Column({ name: 'last_seen_at', type: 'timestamptz', precision: 3 })
  lastSeenAt: string

  @Column({ name: 'is_active', type: 'boolean', default: true })
  isActive: boolean

  @Column({ type: 'jsonb', default: {} })
  metadata: unknown

  @Column({ type: 'int', default: 1 })
  version: number

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string

  @Column({ name: 'updated_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt: string
}
