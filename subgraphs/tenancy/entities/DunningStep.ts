import { Column, Entity, PrimaryColumn } from 'typeorm'

/** A step that was taken about an invoice that was not paid in time. Written once. */
@Entity({ schema: 'tenancy', name: 'dunning_steps' })
export class DunningStep {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'uuid' })
  invoiceId: string

  /** 1 for the first; of an invoice each once. */
  @Column({ type: 'int' })
  level: number

  @Column({ type: 'date' })
  takenOn: string

  /** Without the days on which it was paused. */
  @Column({ type: 'int' })
  overdueDays: number

  /** The invoice's, which the database sees to. */
  @Column({ type: 'text' })
  currency: string

  /** The amount that was left to be paid, in the currency's smallest unit. */
  @Column({ type: 'bigint' })
  balance: string

  @Column({ type: 'uuid', nullable: true })
  feeInvoiceId: string | null

  /** Tells whether no step follows, and the subscription is past due. */
  @Column({ type: 'boolean' })
  isLast: boolean

  @Column({ type: 'varchar', length: 254, nullable: true })
  sentTo: string | null

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
