import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type ComplianceRecordType = 'AML' | 'KYC' | 'OFAC' | 'OTHER'
export type ComplianceStatus =
  'PENDING' | 'SCREENING' | 'POTENTIAL_MATCH' | 'APPROVED' | 'REJECTED' | 'FLAGGED' | 'EXPIRED'

/** The result of a compliance check and of its review. */
@Entity({ schema: 'compliance', name: 'compliance_records' })
export class ComplianceRecord extends TenantRow {
  @Column({ type: 'text' })
  type: ComplianceRecordType

  @Column({ type: 'text', default: 'PENDING' })
  status: ComplianceStatus

  @Column({ type: 'uuid', nullable: true })
  customerId: string | null

  @Column({ type: 'uuid', nullable: true })
  employeeId: string | null

  /** As it is screened. */
  @Column({ type: 'text', nullable: true })
  subjectName: string | null

  @Column({ type: 'text', nullable: true })
  subjectBirthDate: string | null

  @Column({ type: 'int', nullable: true })
  riskScore: number | null

  @Column({ type: 'jsonb' })
  data: unknown

  @Column({ type: 'jsonb', default: {} })
  metadata: unknown

  /** The key of the digests of the content: without it nobody finds out by guessing what was seen. */
  @Column({ type: 'text', nullable: true })
  digestKey: string | null

  /** The version at which the content became what it is. */
  @Column({ type: 'int', default: 1 })
  contentVersion: number

  /** The content version that the last complete screening looked at. */
  @Column({ type: 'int', nullable: true })
  screenedVersion: number | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  screenedAt: string | null

  /** Of the list that it was screened against last. */
  @Column({ type: 'varchar', length: 100, nullable: true })
  listVersion: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  dueAt: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  expiresAt: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  escalatedAt: string | null

  @Column({ type: 'uuid', nullable: true })
  escalatedToId: string | null

  @Column({ type: 'uuid' })
  createdById: string

  /** Names who gave the record its present content: at first its creator. */
  @Column({ type: 'uuid' })
  preparedById: string

  /** Everybody who changed the content since the record was created. */
  @Column({ type: 'uuid', array: true, default: () => "'{}'" })
  editorIds: string[]

  /** Everybody who flagged or escalated the present content. */
  @Column({ type: 'uuid', array: true, default: () => "'{}'" })
  raisedByIds: string[]

  @Column({ type: 'uuid', nullable: true })
  reviewedById: string | null
}
