import { Column, Entity, PrimaryColumn } from 'typeorm'

export type ComplianceRecordType = 'AML' | 'KYC' | 'OFAC' | 'OTHER'
export type ComplianceStatus = 'PENDING' | 'APPROVED' | 'REJECTED' | 'FLAGGED'

/** The result of a compliance check and of its review. */
@Entity({ schema: 'compliance', name: 'compliance_records' })
export class ComplianceRecord {
  @PrimaryColumn({ name: 'tenant_id', type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'text' })
  type: ComplianceRecordType

  @Column({ type: 'text', default: 'PENDING' })
  status: ComplianceStatus

  @Column({ name: 'risk_score', type: 'int', nullable: true })
  riskScore: number | null

  @Column({ type: 'jsonb' })
  data: unknown

  @Column({ type: 'jsonb', default: {} })
  metadata: unknown

  @Column({ name: 'created_by_id', type: 'uuid' })
  createdById: string

  /** Who gave the record its present content: at first its creator. */
  @Column({ name: 'prepared_by_id', type: 'uuid' })
  preparedById: string

  /** Everybody who changed the content since the record was created. */
  @Column({ name: 'editor_ids', type: 'uuid', array: true, default: () => "'{}'" })
  editorIds: string[]

  @Column({ name: 'reviewed_by_id', type: 'uuid', nullable: true })
  reviewedById: string | null

  @Column({ type: 'int', default: 1 })
  version: number

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string

  @Column({ name: 'updated_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt: string
}
