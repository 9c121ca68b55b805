import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type SubscriptionPlan = 'TRIAL' | 'STARTER' | 'PROFESSIONAL' | 'ENTERPRISE'
export type SubscriptionStatus = 'SCHEDULED' | 'ACTIVE' | 'SUSPENDED' | 'CANCELLED'
export type BillingInterval = 'MONTHLY' | 'ANNUAL'

/** A tenant's agreement to pay for using the platform. */
@Entity({ schema: 'tenancy', name: 'subscriptions' })
export class PlanSubscription extends TenantRow {
  @Column({ type: 'text' })
  plan: SubscriptionPlan

  @Column({ type: 'text', default: 'ACTIVE' })
  status: SubscriptionStatus

  @Column({ type: 'date' })
  startDate: string

  /** The first day after the term. */
  @Column({ type: 'date', nullable: true })
  endDate: string | null

  @Column({ type: 'text' })
  billingInterval: BillingInterval

  @Column({ type: 'date' })
  currentPeriodStart: string

  /** The first day after the period. */
  @Column({ type: 'date' })
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

  /** By meter: how much of it the plan allows within a period, and what happens beyond. */
  @Column({ type: 'jsonb', default: {} })
  limits: unknown

  @Column({ type: 'int', default: 1 })
  seats: number

  /** The first day that is not free. */
  @Column({ type: 'date', nullable: true })
  trialEndsOn: string | null

  /** The day from which periods are counted; the start where it is null. */
  @Column({ type: 'date', nullable: true })
  anchorDate: string | null

  /** The first day that is not billed yet; null before the first invoice. */
  @Column({ type: 'date', nullable: true })
  billedUntil: string | null

  /** Tells whether nothing of it is billed any more. */
  @Column({ type: 'boolean', default: false })
  isSettled: boolean

  /** When the billing job last looked at what was used; null before it did. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  useSeenAt: string | null

  /** Holds what begins with the next period: plan, interval, seats, and the prices that were promised. */
  @Column({ type: 'jsonb', nullable: true })
  nextChange: unknown

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  cancelledAt: string | null

  /** Made by the database: the tenant while the subscription runs, then null. */
  @Column({ type: 'uuid', insert: false, update: false, nullable: true })
  readonly currentOf: string | null
}
