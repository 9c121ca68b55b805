import { Column, Entity, PrimaryColumn } from 'typeorm'
import type { TaxTreatment } from './TaxProfile'

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

  /** A decimal of at most four places. */
  @Column({ type: 'numeric', default: 1 })
  quantity: string

  /** A decimal of at most twelve places; the amount where it is null. */
  @Column({ type: 'numeric', nullable: true })
  unitPrice: string | null

  /** Its place among those that were written with it. */
  @Column({ type: 'int', default: 0 })
  place: number

  /** The day on which it is billed, if nothing else is before; null for with the next period. */
  @Column({ type: 'date', nullable: true })
  dueOn: string | null

  /** The first day of the period that it belongs to, whose tax it has; the first day of its service where it is null. */
  @Column({ type: 'date', nullable: true })
  taxOn: string | null

  /** The credit note that gave it back at the end of the subscription. */
  @Column({ type: 'uuid', nullable: true })
  creditNoteId: string | null

  /** One for all lines that were written for one change of the subscription. */
  @Column({ type: 'uuid', nullable: true })
  changeId: string | null

  /** When it was lost: by who cancelled within the period that it was given back of. */
  @Column({ type: 'date', nullable: true })
  lapsedOn: string | null

  /** Per cent, a decimal of at most four places: that of what it gives back; null where the tax is that of `taxOn`. */
  @Column({ type: 'numeric', nullable: true })
  taxRate: string | null

  @Column({ type: 'text', nullable: true })
  taxTreatment: TaxTreatment | null

  @Column({ type: 'varchar', length: 500, nullable: true })
  taxReason: string | null

  @Column({ type: 'uuid', nullable: true })
  invoiceId: string | null

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
