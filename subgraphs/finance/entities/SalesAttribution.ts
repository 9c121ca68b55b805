import { Column, Entity, PrimaryColumn } from 'typeorm'

/** A part of a sale that is somebody's. Replaced with the others of the sale, never changed. */
@Entity({ schema: 'finance', name: 'sales_attributions' })
export class SalesAttribution {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'uuid' })
  transactionId: string

  @Column({ type: 'uuid' })
  userId: string

  /** In per cent. */
  @Column({ type: 'numeric' })
  share: string

  @Column({ type: 'uuid', nullable: true })
  createdById: string | null

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
