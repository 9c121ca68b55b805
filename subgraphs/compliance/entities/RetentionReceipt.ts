import { Column, Entity, PrimaryColumn } from 'typeorm'
import type { DataClass, RetentionUnit } from './RetentionPolicy'

/** A receipt for rows that were removed because their time was over. Never changed. */
@Entity({ schema: 'shared', name: 'retention_receipts' })
export class RetentionReceipt {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  /** Of the run that this is a part of. */
  @Column({ type: 'uuid' })
  runId: string

  @Column({ type: 'text' })
  subgraph: string

  @Column({ type: 'text' })
  dataClass: DataClass

  @Column({ type: 'varchar', length: 100 })
  resourceType: string

  @Column({ type: 'int' })
  keepFor: number

  @Column({ type: 'text' })
  unit: RetentionUnit

  /** The instant that decided. */
  @Column({ type: 'timestamptz', precision: 3 })
  at: string

  @Column({ type: 'int' })
  removed: number

  /** Counts those that were over and stayed because somebody holds them. */
  @Column({ type: 'int' })
  held: number

  /** SHA-256 of the removed ids in their order. */
  @Column({ type: 'varchar', length: 100 })
  digest: string

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
