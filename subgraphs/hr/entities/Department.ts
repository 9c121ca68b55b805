import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

/** A part of the tenant's organization. */
@Entity({ schema: 'hr', name: 'departments' })
export class Department extends TenantRow {
  @Column({ type: 'varchar', length: 100 })
  name: string

  @Column({ type: 'varchar', length: 2000, nullable: true })
  description: string | null

  @Column({ type: 'uuid', nullable: true })
  headId: string | null

  @Column({ type: 'boolean', default: true })
  isActive: boolean
}
