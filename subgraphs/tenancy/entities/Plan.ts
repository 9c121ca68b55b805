import { Column, Entity, PrimaryColumn } from 'typeorm'

export type PlanCode = 'TRIAL' | 'STARTER' | 'PROFESSIONAL' | 'ENTERPRISE'

/** A plan of the platform: the same for all tenants, so it belongs to none. */
@Entity({ schema: 'tenancy', name: 'plans' })
export class Plan {
  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'text' })
  code: PlanCode

  @Column({ type: 'varchar', length: 100 })
  name: string

  @Column({ type: 'varchar', length: 500, nullable: true })
  description: string | null

  @Column({ type: 'boolean', default: true })
  isPublic: boolean

  @Column({ type: 'int', default: 0 })
  trialDays: number

  @Column({ type: 'jsonb', default: {} })
  features: unknown

  @Column({ type: 'jsonb', default: {} })
  limits: unknown

  @Column({ type: 'varchar', length: 50, nullable: true })
  taxCategory: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  retiredAt: string | null
}
