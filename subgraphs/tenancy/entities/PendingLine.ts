import { Column, Entity, PrimaryColumn } from 'typeorm'

/** Holds what a change of a subscription cost, in its currency, until an invoice has it. */
@Entity({ schema: 'tenancy', name: 'pending_lines' })
export class PendingLine {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'uuid' })
  subscriptionId: string

  @Column({ type: 'varchar', length: 500 })
  description: string

  /** In the currency's smallest unit; less than nothing is given back. */
  @Column({ type: 'bigint' })
  amount: string

  @Column({ type: 'date' })
  serviceStart: string

  /** The first day after it. */
  @Column({ type: 'date' })
  serviceEnd: string

  @Column({ type: 'uuid', nullable: true })
  invoiceId: string | null

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
