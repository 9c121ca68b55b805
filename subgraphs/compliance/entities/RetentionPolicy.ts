import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type DataClass =
  | 'LOG'
  | 'ANALYTICS_EVENT'
  | 'TICKET'
  | 'FINANCIAL'
  | 'COMPLIANCE'
  | 'AUDIT'
  | 'USER_DATA'
  | 'MODEL_ARTIFACT'
  | 'MAIL'
  | 'FILE'
  | 'SESSION'
export type RetentionUnit = 'DAY' | 'MONTH' | 'YEAR'
export type PolicyStatus = 'PROPOSED' | 'APPROVED' | 'WITHDRAWN'

/** A term for which a class of data is kept, proposed by one person and approved by another. */
@Entity({ schema: 'compliance', name: 'retention_policies' })
export class RetentionPolicy extends TenantRow {
  @Column({ type: 'text' })
  dataClass: DataClass

  @Column({ type: 'int' })
  keepFor: number

  @Column({ type: 'text' })
  unit: RetentionUnit

  @Column({ type: 'varchar', length: 500, nullable: true })
  legalBasis: string | null

  @Column({ type: 'text', default: 'PROPOSED' })
  status: PolicyStatus

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  effectiveAt: string | null

  @Column({ type: 'uuid' })
  proposedById: string

  @Column({ type: 'uuid', nullable: true })
  approvedById: string | null
}
