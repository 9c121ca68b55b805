import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type PaymentStatus = 'SUCCEEDED' | 'PARTLY_REFUNDED' | 'REFUNDED' | 'REVERSED'
export type PaymentMethod = 'BANK_TRANSFER' | 'CARD' | 'DIRECT_DEBIT' | 'CASH'

/** Money that a tenant paid to the platform. Amounts are in the currency's smallest unit. */
@Entity({ schema: 'tenancy', name: 'payments' })
export class Payment extends TenantRow {
  @Column({ type: 'varchar', length: 50 })
  paymentNumber: string

  @Column({ type: 'text', default: 'SUCCEEDED' })
  status: PaymentStatus

  @Column({ type: 'text' })
  method: PaymentMethod

  @Column({ type: 'bigint' })
  amount: string

  @Column({ type: 'text' })
  currency: string

  /** Holds what settles invoices. */
  @Column({ type: 'bigint', default: 0 })
  allocated: string

  @Column({ type: 'bigint', default: 0 })
  refunded: string

  /** Made by the database: what neither settles an invoice nor was given back. */
  @Column({ type: 'bigint', insert: false, update: false })
  readonly unallocated: string

  /** The day on which the money came. */
  @Column({ type: 'date' })
  receivedOn: string

  /** Holds what the bank or the provider calls it. */
  @Column({ type: 'varchar', length: 140, nullable: true })
  reference: string | null

  @Column({ type: 'varchar', length: 255, nullable: true })
  payerName: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  reversedAt: string | null

  @Column({ type: 'varchar', length: 500, nullable: true })
  reverseReason: string | null
}
