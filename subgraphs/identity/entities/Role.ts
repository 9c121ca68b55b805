import { Column, Entity, PrimaryColumn } from 'typeorm'

/** A named set of scopes that users of a tenant can be given. */
@Entity({ schema: 'identity', name: 'roles' })
export class Role {
  @PrimaryColumn({ name: 'tenant_id', type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'varchar', length: 100 })
  name: string

  @Column({ type: 'text', nullable: true })
  description: string | null

  @Column({ type: 'text', array: true, default: [] })
  permissions: string[]

  /** Whether every tenant has this role; the product itself changes it when scopes are added. */
  @Column({ name: 'is_system_role', type: 'boolean', default: false })
  isSystemRole: boolean

  @Column({ type: 'int', default: 1 })
  version: number

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string

  @Column({ name: 'updated_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt: string
}
