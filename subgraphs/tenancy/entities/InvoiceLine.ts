import { Column, Entity, PrimaryColumn } from 'typeorm'

/** A line of an invoice. Lines are replaced while the invoice is a draft, and never changed. */
@Entity({ schema: 'tenancy', name: 'invoice_lines' })
export class InvoiceLine {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'uuid' })
  invoiceId: string

  /** The invoice's, which the database sees to. */
  @Column({ type: 'text' })
  currency: string

  /** 1 for the first. */
  @Column({ type: 'int' })
  position: number

  @Column({ type: 'varchar', length: 500 })
  description: string

  /** A decimal of at most four places. */
  @Column({ type: 'numeric' })
  quantity: string

  /** In the currency's smallest unit, a decimal of at most twelve places. */
  @Column({ type: 'numeric' })
  unitPrice: string

  /** In the currency's smallest unit. */
  @Column({ type: 'bigint' })
  amount: string

  /** Per cent, a decimal of at most four places. */
  @Column({ type: 'numeric' })
  taxRate: string

  @Column({ type: 'text', default: 'STANDARD' })
  taxTreatment: 'STANDARD' | 'REVERSE_CHARGE' | 'EXEMPT'

  /** Says why nothing is taxed. */
  @Column({ type: 'varchar', length: 500, nullable: true })
  taxReason: string | null

  /** The day whose tax it has; null where a person chose the tax. */
  @Column({ type: 'date', nullable: true })
  taxOn: string | null

  @Column({ type: 'date', nullable: true })
  serviceStart: string | null

  /** The first day after it. */
  @Column({ type: 'date', nullable: true })
  serviceEnd: string | null

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
