import { Column, Entity, PrimaryColumn } from 'typeorm'

export type TransactionType = 'INCOME' | 'EXPENSE' | 'TRANSFER' | 'ADJUSTMENT'

/** A movement of money. */
@Entity({ schema: 'finance', name: 'transactions' })
export class Transaction {
  @PrimaryColumn({ name: 'tenant_id', type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ name: 'transaction_number', type: 'varchar', length: 100 })
  transactionNumber: string

  @Column({ type: 'text' })
  type: TransactionType

  @Column({ type: 'varchar', length: 100, nullable: true })
  category: string | null

  @Column({ name: 'department_id', type: 'uuid', nullable: true })
  departmentId: string | null

  /** In the currency's smallest unit; never zero. */
  @Column({ type: 'bigint' })
  amount: string

  @Column({ type: 'text' })
  currency: string

  @Column({ type: 'varchar', length: 2000, nullable: true })
  description: string | null

  @Column({ name: 'occurred_at', type: 'timestamptz', precision: 3 })
  occurredAt: string

  @Column({ name: 'is_fraudulent', type: 'boolean', default: false })
  isFraudulent: boolean

  @Column({ name: 'fraud_score', type: 'double precision', nullable: true })
  fraudScore: number | null

  @Column({ name: 'reversal_of_id', type: 'uuid', nullable: true })
  reversalOfId: string | null

  @Column({ type: 'int', default: 1 })
  version: number

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string

  @Column({ name: 'updated_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt: string
}
