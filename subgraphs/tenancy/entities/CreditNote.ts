import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'
import type { InvoiceParty } from './Invoice'
import type { TaxTreatment } from './TaxProfile'

export type CreditNoteStatus = 'DRAFT' | 'ISSUED' | 'APPLIED' | 'VOID'
export type CreditReason = 'DUPLICATE' | 'ERROR' | 'CANCELLATION' | 'PRORATION' | 'GOODWILL' | 'OTHER'

/** Describes what is taxed in one way, as it is stored: decimal texts, amounts in the currency's smallest unit. */
export interface StoredTaxPart {
  rate: string
  treatment?: TaxTreatment
  reason?: string | null
  net: string
  tax: string
}

/** A document that takes back something of an invoice. Amounts are in the currency's smallest unit. */
@Entity({ schema: 'tenancy', name: 'credit_notes' })
export class CreditNote extends TenantRow {
  /** Null while it is a draft. */
  @Column({ type: 'varchar', length: 50, nullable: true })
  creditNoteNumber: string | null

  @Column({ type: 'text', default: 'DRAFT' })
  status: CreditNoteStatus

  @Column({ type: 'uuid' })
  invoiceId: string

  @Column({ type: 'text' })
  reason: CreditReason

  @Column({ type: 'varchar', length: 2000, nullable: true })
  memo: string | null

  /** The invoice's, which the database sees to. */
  @Column({ type: 'text' })
  currency: string

  @Column({ type: 'bigint' })
  subtotal: string

  @Column({ type: 'bigint' })
  tax: string

  @Column({ type: 'bigint' })
  total: string

  @Column({ type: 'jsonb', default: [] })
  taxParts: StoredTaxPart[]

  @Column({ type: 'bigint', default: 0 })
  applied: string

  /** Holds what was given back. */
  @Column({ type: 'bigint', default: 0 })
  refunded: string

  /** Made by the database: what can still be used. */
  @Column({ type: 'bigint', insert: false, update: false })
  readonly remaining: string

  /** Tells whether the billing job made it, for what was left over at the end of a subscription. */
  @Column({ type: 'boolean', default: false })
  givesBack: boolean

  /** Holds who issued it, as the platform's legal entity was then. */
  @Column({ type: 'jsonb', nullable: true })
  seller: InvoiceParty | null

  /** Holds who it is for, as the tenant was when it was issued, with the tax id that the invoice states. */
  @Column({ type: 'jsonb', nullable: true })
  buyer: InvoiceParty | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  issuedAt: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  voidedAt: string | null

  @Column({ type: 'varchar', length: 500, nullable: true })
  voidReason: string | null
}
