import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type TransactionType = 'INCOME' | 'EXPENSE' | 'TRANSFER' | 'ADJUSTMENT'

/** A movement of money. */
@Entity({ schema: 'finance', name: 'transactions' })
export class Transaction extends TenantRow {
  @Column({ type: 'varchar', length: 100 })
  transactionNumber: string

  @Column({ type: 'text' })
  type: TransactionType

  @Column({ type: 'varchar', length: 100, nullable: true })
  category: string | null

  @Column({ type: 'uuid', nullable: true })
  departmentId: string | null

  /** In the currency's smallest unit; never zero. */
  @Column({ type: 'bigint' })
  amount: string

  @Column({ type: 'text' })
  currency: string

  @Column({ type: 'varchar', length: 2000, nullable: true })
  description: string | null

  @Column({ type: 'timestamptz', precision: 3 })
  occurredAt: string

  @Column({ type: 'boolean', default: false })
  isFraudulent: boolean

  @Column({ type: 'double precision', nullable: true })
  fraudScore: number | null

  @Column({ type: 'uuid', nullable: true })
  reversalOfId: string | null
}
