import { Column, Entity, PrimaryColumn } from 'typeorm'

/** Describes what a credit note takes back of one line of the invoice. */
@Entity({ schema: 'tenancy', name: 'credit_note_lines' })
export class CreditNoteLine {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'uuid' })
  creditNoteId: string

  @Column({ type: 'uuid' })
  invoiceLineId: string

  /** The note's, which the database sees to. */
  @Column({ type: 'text' })
  currency: string

  /** 1 for the first. */
  @Column({ type: 'int' })
  position: number

  @Column({ type: 'varchar', length: 500 })
  description: string

  /** A decimal of at most four places; null where an amount was credited. */
  @Column({ type: 'numeric', nullable: true })
  quantity: string | null

  /** In the currency's smallest unit, with the sign of the invoice's line. */
  @Column({ type: 'bigint' })
  amount: string

  /** The invoice line's, per cent. */
  @Column({ type: 'numeric' })
  taxRate: string

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
