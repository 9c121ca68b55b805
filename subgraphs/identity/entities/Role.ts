import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

/** A named set of scopes that users of a tenant can be given. */
@Entity({ schema: 'identity', name: 'roles' })
export class Role extends TenantRow {
  @Column({ type: 'varchar', length: 100 })
  name: string

  @Column({ type: 'varchar', length: 2000, nullable: true })
  description: string | null

  @Column({ type: 'text', array: true, default: [] })
  permissions: string[]

  /** Tells whether every tenant has this role; the product itself changes it when scopes are added. */
  @Column({ type: 'boolean', default: false })
  isSystemRole: boolean
}
