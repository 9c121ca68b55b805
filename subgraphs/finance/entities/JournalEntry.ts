import { Column, Entity, PrimaryColumn } from 'typeorm'

/** An entry of the books: postings that add up to nothing. Never changed. */
@Entity({ schema: 'finance', name: 'journal_entries' })
export class JournalEntry {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  /** Year and place in the year, without gaps. */
  @Column({ type: 'varchar', length: 20 })
  entryNumber: string

  @Column({ type: 'date' })
  bookedOn: string

  @Column({ type: 'varchar', length: 500, nullable: true })
  description: string | null

  /** The database refuses fewer and more. */
  @Column({ type: 'int' })
  postingCount: number

  /** The currency that its postings are converted to; null when they are not. */
  @Column({ type: 'text', nullable: true })
  baseCurrency: string | null

  @Column({ type: 'varchar', length: 100, nullable: true })
  sourceType: string | null

  @Column({ type: 'varchar', length: 200, nullable: true })
  sourceId: string | null

  @Column({ type: 'uuid', nullable: true })
  transactionId: string | null

  @Column({ type: 'uuid', nullable: true })
  reversalOfId: string | null

  /** Null for what a job posts. */
  @Column({ type: 'uuid', nullable: true })
  createdById: string | null

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
