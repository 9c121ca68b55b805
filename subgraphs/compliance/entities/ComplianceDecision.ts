import { Column, Entity, PrimaryColumn } from 'typeorm'
import type { ComplianceStatus } from './ComplianceRecord'

export type DecisionAction = 'APPROVE' | 'REJECT' | 'FLAG' | 'ESCALATE' | 'CLEAR_MATCH' | 'CONFIRM_MATCH'

/** A decision about a compliance record: by whom, why, and about which content. Never changed. */
@Entity({ schema: 'compliance', name: 'compliance_decisions' })
export class ComplianceDecision {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'uuid' })
  recordId: string

  @Column({ type: 'uuid', nullable: true })
  matchId: string | null

  @Column({ type: 'text' })
  action: DecisionAction

  @Column({ type: 'text' })
  fromStatus: ComplianceStatus

  @Column({ type: 'text' })
  toStatus: ComplianceStatus

  @Column({ type: 'text' })
  rationale: string

  /** Of the record as it was seen. */
  @Column({ type: 'int' })
  recordVersion: number

  @Column({ type: 'varchar', length: 100 })
  contentDigest: string

  @Column({ type: 'uuid' })
  decidedById: string

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string
}
