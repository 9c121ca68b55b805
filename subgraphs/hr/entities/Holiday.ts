import { Column, Entity, PrimaryColumn } from 'typeorm'

/** A day on which the tenant does not work. */
@Entity({ schema: 'hr', name: 'holidays' })
export class Holiday {
  @PrimaryColumn({ name: 'tenant_id', type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'varchar', length: 100 })
  name: string

  @Column({ type: 'date' })
  day: string

  @Column({ type: 'int', default: 1 })
  version: number

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string

  @Column({ name: 'updated_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt: string
}
