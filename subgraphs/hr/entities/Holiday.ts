import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

/** A day on which the tenant does not work. */
@Entity({ schema: 'hr', name: 'holidays' })
export class Holiday extends TenantRow {
  @Column({ type: 'varchar', length: 100 })
  name: string

  @Column({ type: 'date' })
  day: string
}
