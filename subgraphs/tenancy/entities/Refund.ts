import { Column, Entity, PrimaryColumn } from 'typeorm'

/** Money of a payment that was given back. Written once. */
@Entity({ schema: 'tenancy', name: 'refunds' })
export class Refund {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'uuid', nullable: true })
  paymentId: string | null

  @Column({ type: 'uuid', nullable: true })
  creditNoteId: string | null

  /** The payment's, which the database sees to. */
  @Column({ type: 'text' })
  currency: string

  /** In the currency's smallest unit, more than nothing. */
  @Column({ type: 'bigint' })
  amount: string

  /** The day on which the money went. */
  @Column({ type: 'date' })
  refundedOn: string

  /** Holds what the bank or the provider calls it. */
  @Column({ type: 'varchar', length: 140, nullable: true })
  reference: string | null

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
