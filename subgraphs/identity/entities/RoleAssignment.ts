import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

/** That a user has a role. */
@Entity({ schema: 'identity', name: 'role_assignments' })
export class RoleAssignment extends TenantRow {
  @Column({ type: 'uuid' })
  userId: string

  @Column({ type: 'uuid' })
  roleId: string

  @Column({ type: 'uuid', nullable: true })
  grantedById: string | null
}
