import { Column, Entity, PrimaryColumn } from 'typeorm'

export type SubscriptionPlan = 'TRIAL' | 'STARTER' | 'PROFESSIONAL' | 'ENTERPRISE'
export type SubscriptionStatus = 'ACTIVE' | 'SUSPENDED' | 'CANCELLED'
export type BillingInterval = 'MONTHLY' | 'ANNUAL'

/** What a tenant agreed to pay for using the platform. */
@Entity({ schema: 'tenancy', name: 'subscriptions' })
export class PlanSubscription {
  @PrimaryColumn({ name: 'tenant_id', type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'text' })
  plan: SubscriptionPlan

  @Column({ type: 'text', default: 'ACTIVE' })
  status: SubscriptionStatus

  @Column({ name: 'start_date', type: 'date' })
  startDate: string

  /** The first day after the term. */
  @Column({ name: 'end_date', type: 'date', nullable: true })
  endDate: string | null

  @Column({ name: 'billing_interval', type: 'text' })
  billingInterval: BillingInterval

  @Column({ name: 'current_period_start', type: 'date' })
  currentPeriodStart: string

  /** The first day after the period. */
  @Column({ name: 'current_period_end', type: 'date' })
  currentPeriodEnd: string

  /** In the currency's smallest unit. */
  @Column({ type: 'bigint' })
  price: string

  @Column({ type: 'text', default: 'USD' })
  currency: string

  @Column({ type: 'jsonb', default: {} })
  features: unknown

  @Column({ type: 'jsonb', default: [] })
  items: unknown

  @Column({ name: 'cancelled_at', type: 'timestamptz', precision: 3, nullable: true })
  cancelledAt: string | null

  /** Made by the database: the tenant while the subscription runs, then null. */
  @Column({ name: 'current_of', type: 'uuid', insert: false, update: false, nullable: true })
  readonly currentOf: string | null

  @Column({ type: 'int', default: 1 })
  version: number

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string

  @Column({ name: 'updated_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt: string
}
