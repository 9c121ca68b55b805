import { Column, PrimaryColumn } from 'typeorm'

/**
 * A row that belongs to a tenant and is changed by versions: the columns that `tenantTable` makes for it. Append-only and
 * global entities declare their own. Never extended twice: an entity is one class that can be read at once.
 */
export abstract class TenantRow {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  /** Counts the changes; a change names the version that it is about. */
  @Column({ type: 'int', default: 1 })
  version: number

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt: string
}
