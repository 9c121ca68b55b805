import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type LedgerAccountType = 'ASSET' | 'LIABILITY' | 'EQUITY' | 'INCOME' | 'EXPENSE'
export type LedgerSide = 'DEBIT' | 'CREDIT'
export type LedgerPurpose =
  | 'BANK'
  | 'RECEIVABLES'
  | 'PAYABLES'
  | 'REVENUE'
  | 'EXPENSES'
  | 'TRANSIT'
  | 'SUSPENSE'
  | 'ADJUSTMENTS'
  | 'ROUNDING'
  | 'EXCHANGE'
  | 'RETAINED_EARNINGS'
  | 'OPENING_BALANCES'

/** An account of the books. */
@Entity({ schema: 'finance', name: 'ledger_accounts' })
export class LedgerAccount extends TenantRow {
  @Column({ type: 'varchar', length: 20 })
  code: string

  @Column({ type: 'varchar', length: 200 })
  name: string

  @Column({ type: 'text' })
  type: LedgerAccountType

  /** The side on which its balance usually is. */
  @Column({ type: 'text' })
  normalSide: LedgerSide

  /** By which the product finds the account, at most one for each. */
  @Column({ type: 'text', nullable: true })
  purpose: LedgerPurpose | null

  /** Null when it takes all. */
  @Column({ type: 'text', nullable: true })
  currency: string | null

  @Column({ type: 'boolean', default: true })
  isActive: boolean
}
