import { Column, Entity, PrimaryColumn } from 'typeorm'

/** A part of an invoice that is settled, and by what. Written once. */
@Entity({ schema: 'tenancy', name: 'allocations' })
export class Allocation {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'uuid' })
  invoiceId: string

  /** Of this and `paymentId` one is null. */
  @Column({ type: 'uuid', nullable: true })
  creditNoteId: string | null

  @Column({ type: 'uuid', nullable: true })
  paymentId: string | null

  /** That of both, which the database sees to. */
  @Column({ type: 'text' })
  currency: string

  /** In the currency's smallest unit; negative where what a payment settled was taken back. */
  @Column({ type: 'bigint' })
  amount: string

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
