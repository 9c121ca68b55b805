import { Column, Entity, PrimaryColumn } from 'typeorm'

/** An amount that an entry books on one account. Never changed. */
@Entity({ schema: 'finance', name: 'postings' })
export class Posting {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'uuid' })
  entryId: string

  /** The entry's, which the database sees to. */
  @Column({ type: 'date' })
  bookedOn: string

  /** 1 for the first of the entry. */
  @Column({ type: 'int' })
  position: number

  @Column({ type: 'uuid' })
  accountId: string

  /** In the currency's smallest unit: debits are positive, credits negative. */
  @Column({ type: 'bigint' })
  amount: string

  @Column({ type: 'text' })
  currency: string

  /** Units of the base currency for one of the currency. */
  @Column({ type: 'numeric', nullable: true })
  exchangeRate: string | null

  /** In the base currency's smallest unit. */
  @Column({ type: 'bigint', nullable: true })
  baseAmount: string | null

  @Column({ type: 'text', nullable: true })
  baseCurrency: string | null

  @Column({ type: 'varchar', length: 500, nullable: true })
  memo: string | null

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
