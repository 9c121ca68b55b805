import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type InvoiceStatus = 'DRAFT' | 'ISSUED' | 'PARTLY_PAID' | 'PAID' | 'VOID'

/** Describes who a document is of or for, as it was then. */
export interface InvoiceParty {
  name: string
  street: string | null
  postalCode: string | null
  city: string | null
  country: string | null
  vatNumber: string | null
  email: string | null
}

/** A demand for payment by a tenant. Amounts are in the currency's smallest unit. */
@Entity({ schema: 'tenancy', name: 'invoices' })
export class Invoice extends TenantRow {
  /** Null while it is a draft. */
  @Column({ type: 'varchar', length: 50, nullable: true })
  invoiceNumber: string | null

  @Column({ type: 'text', default: 'DRAFT' })
  status: InvoiceStatus

  @Column({ type: 'uuid', nullable: true })
  subscriptionId: string | null

  /** The first day of what the billing job billed: once for a subscription. */
  @Column({ type: 'date', nullable: true })
  billedFrom: string | null

  /** Tells whether the billing job billed between periods. */
  @Column({ type: 'boolean', default: false })
  isInterim: boolean

  @Column({ type: 'bigint' })
  subtotal: string

  @Column({ type: 'bigint', default: 0 })
  tax: string

  @Column({ type: 'bigint' })
  total: string

  @Column({ type: 'bigint', default: 0 })
  amountPaid: string

  @Column({ type: 'bigint', default: 0 })
  amountCredited: string

  @Column({ type: 'text', default: 'USD' })
  currency: string

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  issuedAt: string | null

  @Column({ type: 'date', nullable: true })
  dueDate: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  paidAt: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  voidedAt: string | null

  @Column({ type: 'varchar', length: 500, nullable: true })
  voidReason: string | null

  /** Holds who issued it, as the platform's legal entity was then. */
  @Column({ type: 'jsonb', nullable: true })
  seller: InvoiceParty | null

  /** Holds who owes it, as the tenant was when it was issued. */
  @Column({ type: 'jsonb', nullable: true })
  buyer: InvoiceParty | null

  /** The invoice whose late payment this one is the fee for. */
  @Column({ type: 'uuid', nullable: true })
  feeOfId: string | null

  /** Since when nobody is reminded of it; null while it is not paused. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  dunningPausedAt: string | null

  @Column({ type: 'varchar', length: 500, nullable: true })
  dunningPauseReason: string | null

  /** Days after the last day on which to pay that count for no step. */
  @Column({ type: 'int', default: 0 })
  dunningPausedDays: number

  @Column({ type: 'varchar', length: 2000, nullable: true })
  memo: string | null
}
