import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type ComplianceRecordType = 'AML' | 'KYC' | 'OFAC' | 'OTHER'
export type ComplianceStatus = 'PENDING' | 'APPROVED' | 'REJECTED' | 'FLAGGED'

/** The result of a compliance check and of its review. */
@Entity({ schema: 'compliance', name: 'compliance_records' })
export class ComplianceRecord extends TenantRow {
  @Column({ type: 'text' })
  type: ComplianceRecordType

  @Column({ type: 'text', default: 'PENDING' })
  status: ComplianceStatus

  @Column({ type: 'int', nullable: true })
  riskScore: number | null

  @Column({ type: 'jsonb' })
  data: unknown

  @Column({ type: 'jsonb', default: {} })
  metadata: unknown

  @Column({ type: 'uuid' })
  createdById: string

  /** Names who gave the record its present content: at first its creator. */
  @Column({ type: 'uuid' })
  preparedById: string

  /** Everybody who changed the content since the record was created. */
  @Column({ type: 'uuid', array: true, default: () => "'{}'" })
  editorIds: string[]

  @Column({ type: 'uuid', nullable: true })
  reviewedById: string | null
}
