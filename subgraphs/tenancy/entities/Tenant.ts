import { Column, Entity, PrimaryColumn } from 'typeorm'

export type TenantPlan = 'TRIAL' | 'STARTER' | 'PROFESSIONAL' | 'ENTERPRISE'
export type TenantStatus = 'ACTIVE' | 'SUSPENDED' | 'CANCELLED'
export type TenantSize = 'SMB' | 'MID_MARKET' | 'ENTERPRISE'
export type TenantDataRegion = 'EU' | 'US' | 'APAC'
export type TenantComplianceLevel = 'BASIC' | 'ADVANCED' | 'ENTERPRISE'

/** A tenant of the platform. Row level security shows each tenant its own row only. */
@Entity({ schema: 'tenancy', name: 'tenants' })
export class Tenant {
  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'varchar', length: 255 })
  name: string

  @Column({ type: 'varchar', length: 100 })
  slug: string

  @Column({ type: 'text', default: 'STARTER' })
  plan: TenantPlan

  @Column({ type: 'text', default: 'ACTIVE' })
  status: TenantStatus

  @Column({ type: 'text', nullable: true })
  industry: string | null

  @Column({ type: 'text', nullable: true })
  size: TenantSize | null

  @Column({ type: 'text', nullable: true })
  region: string | null

  @Column({ type: 'text', nullable: true })
  complianceLevel: TenantComplianceLevel | null

  @Column({ type: 'boolean', default: true })
  isActive: boolean

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  trialEndsAt: string | null

  @Column({ type: 'boolean', default: false })
  isSandbox: boolean

  @Column({ type: 'int', default: 0 })
  aheadSeconds: number

  /** As documents name it; the name where it is null. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  legalName: string | null

  @Column({ type: 'varchar', length: 255, nullable: true })
  billingStreet: string | null

  @Column({ type: 'varchar', length: 20, nullable: true })
  billingPostalCode: string | null

  @Column({ type: 'varchar', length: 100, nullable: true })
  billingCity: string | null

  /** ISO 3166-1 alpha-2. */
  @Column({ type: 'varchar', length: 2, nullable: true })
  billingCountry: string | null

  @Column({ type: 'varchar', length: 30, nullable: true })
  vatNumber: string | null

  @Column({ type: 'varchar', length: 254, nullable: true })
  billingEmail: string | null

  @Column({ type: 'text', nullable: true })
  defaultCurrency: string | null

  @Column({ type: 'varchar', length: 64, nullable: true })
  timeZone: string | null

  @Column({ type: 'text', nullable: true })
  dataRegion: TenantDataRegion | null

  @Column({ type: 'jsonb', default: {} })
  settings: unknown

  @Column({ type: 'jsonb', default: {} })
  metadata: unknown

  @Column({ type: 'varchar', length: 100, array: true, default: ['crm', 'erp'] })
  enabledModules: string[]

  @Column({ type: 'int', default: 1 })
  version: number

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt: string
}
