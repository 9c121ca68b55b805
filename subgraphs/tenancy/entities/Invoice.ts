import { Column, Entity, PrimaryColumn } from 'typeorm'

export type InvoiceStatus = 'DRAFT' | 'ISSUED' | 'PARTLY_PAID' | 'PAID' | 'VOID'

/** What a tenant is asked to pay. Amounts are in the currency's smallest unit. */
@Entity({ schema: 'tenancy', name: 'invoices' })
export class Invoice {
  @PrimaryColumn({ name: 'tenant_id', type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  /** Null while it is a draft. */
  @Column({ name: 'invoice_number', type: 'varchar', length: 50, nullable: true })
  invoiceNumber: string | null

  @Column({ type: 'text', default: 'DRAFT' })
  status: InvoiceStatus

  @Column({ name: 'subscription_id', type: 'uuid', nullable: true })
  subscriptionId: string | null

  @Column({ type: 'bigint' })
  subtotal: string

  @Column({ type: 'bigint', default: 0 })
  tax: string

  @Column({ type: 'bigint' })
  total: string

  @Column({ name: 'amount_paid', type: 'bigint', default: 0 })
  amountPaid: string

  @Column({ type: 'text', default: 'USD' })
  currency: string

  @Column({ name: 'issued_at', type: 'timestamptz', precision: 3, nullable: true })
  issuedAt: string | null

  @Column({ name: 'due_date', type: 'date', nullable: true })
  dueDate: string | null

  @Column({ name: 'paid_at', type: 'timestamptz', precision: 3, nullable: true })
  paidAt: string | null

  @Column({ name: 'voided_at', type: 'timestamptz', precision: 3, nullable: true })
  voidedAt: string | null

  @Column({ name: 'void_reason', type: 'varchar', length: 500, nullable: true })
  voidReason: string | null

  @Column({ type: 'varchar', length: 2000, nullable: true })
  memo: string | null

  @Column({ type: 'int', default: 1 })
  version: number

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string

  @Column({ name: 'updated_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt: string
}
