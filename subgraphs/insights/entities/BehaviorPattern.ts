import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

/** A way in which a customer behaves, as long as it holds. */
@Entity({ schema: 'insights', name: 'behavior_patterns' })
export class BehaviorPattern extends TenantRow {
  @Column({ type: 'uuid' })
  customerId: string

  @Column({ type: 'varchar', length: 100 })
  patternType: string

  @Column({ type: 'double precision' })
  confidence: number

  @Column({ type: 'int', default: 1 })
  frequency: number

  @Column({ type: 'text', nullable: true })
  description: string | null

  @Column({ type: 'jsonb', default: {} })
  metadata: unknown

  @Column({ type: 'uuid', array: true, default: [] })
  customerInteractionIds: readonly string[]

  @Column({ type: 'timestamptz', precision: 3 })
  detectedAt: string

  /** From then on the row is there for nobody: the kernel's reads say so. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  lapsesAt: string | null

  /** When it was dismissed, or made room for the next one. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  deletedAt: string | null

  @Column({ type: 'varchar', length: 500, nullable: true })
  dismissReason: string | null
}
