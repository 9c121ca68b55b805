import { Column, Entity, PrimaryColumn } from 'typeorm'
import type { TenantPlan, TenantStatus } from './Tenant'

/** A tenant as operators see it: a row of a view whose function asks for an operator, and shows these columns alone. */
@Entity({ schema: 'tenancy', name: 'platform_tenants' })
export class PlatformTenant {
  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'varchar', length: 255 })
  name: string

  @Column({ type: 'varchar', length: 100 })
  slug: string

  @Column({ type: 'text' })
  plan: TenantPlan

  @Column({ type: 'text' })
  status: TenantStatus

  @Column({ type: 'varchar', length: 500, nullable: true })
  statusReason: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  statusChangedAt: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  deletionDueAt: string | null

  @Column({ type: 'varchar', length: 500, nullable: true })
  billingFault: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  billingFaultAt: string | null

  @Column({ type: 'boolean' })
  isSandbox: boolean

  @Column({ type: 'int' })
  version: number

  @Column({ type: 'timestamptz', precision: 3 })
  createdAt: string

  @Column({ type: 'timestamptz', precision: 3 })
  updatedAt: string
}
