import { Column, Entity, PrimaryColumn } from 'typeorm'

/** A scope of the catalogue: the same for all tenants, so it belongs to none. */
@Entity({ schema: 'identity', name: 'permissions' })
export class Permission {
  @PrimaryColumn({ type: 'uuid' })
  id: string

  /** `subgraph:resource:action` */
  @Column({ type: 'varchar', length: 100 })
  name: string

  @Column({ type: 'text' })
  description: string

  /** The system roles that carry it in every tenant. */
  @Column({ type: 'text', array: true, default: [] })
  systemRoles: string[]

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
