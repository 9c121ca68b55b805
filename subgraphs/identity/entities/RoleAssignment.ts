import { Column, Entity, PrimaryColumn } from 'typeorm'

/** That a user has a role. */
@Entity({ schema: 'identity', name: 'role_assignments' })
export class RoleAssignment {
  @PrimaryColumn({ name: 'tenant_id', type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ name: 'user_id', type: 'uuid' })
  userId: string

  @Column({ name: 'role_id', type: 'uuid' })
  roleId: string

  @Column({ name: 'granted_by_id', type: 'uuid', nullable: true })
  grantedById: string | null

  @Column({ type: 'int', default: 1 })
  version: number

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string

  @Column({ name: 'updated_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt: string
}
