import { Column, Entity, PrimaryColumn } from 'typeorm'

export type TaxTreatment = 'STANDARD' | 'REVERSE_CHARGE' | 'EXEMPT'

/** Which tax a tenant pays from a day on: written once, never changed or removed. */
@Entity({ schema: 'tenancy', name: 'tax_profiles' })
export class TaxProfile {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  /** The first day. */
  @Column({ type: 'date' })
  validFrom: string

  /** 0 for the first decision for the day; a later one mends those before it. */
  @Column({ type: 'int', default: 0 })
  revision: number

  @Column({ type: 'text' })
  treatment: TaxTreatment

  /** Per cent, a decimal of at most four places. */
  @Column({ type: 'numeric' })
  rate: string

  @Column({ type: 'varchar', length: 30, nullable: true })
  taxId: string | null

  @Column({ type: 'varchar', length: 500, nullable: true })
  reason: string | null

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
