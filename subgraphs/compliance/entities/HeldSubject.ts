import { Column, Entity, PrimaryColumn } from 'typeorm'

/** A thing, or a type of things, that a legal hold is about. */
@Entity({ schema: 'shared', name: 'held_subjects' })
export class HeldSubject {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'uuid' })
  holdId: string

  @Column({ type: 'varchar', length: 100 })
  resourceType: string

  /** Null for all of the type, those to come as well. */
  @Column({ type: 'uuid', nullable: true })
  resourceId: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  releasedAt: string | null

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
