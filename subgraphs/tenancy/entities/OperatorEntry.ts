import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

/** That an operator of the platform entered the tenant. Functions of the platform write it; the tenant reads and ends it. */
@Entity({ schema: 'tenancy', name: 'operator_entries' })
export class OperatorEntry extends TenantRow {
  @Column({ type: 'uuid' })
  operatorId: string

  @Column({ type: 'varchar', length: 200 })
  operatorName: string

  @Column({ type: 'uuid' })
  sessionId: string

  @Column({ type: 'varchar', length: 500 })
  reason: string

  @Column({ type: 'boolean' })
  readsSensitive: boolean

  @Column({ type: 'timestamptz', precision: 3 })
  expiresAt: string

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  endedAt: string | null
}
