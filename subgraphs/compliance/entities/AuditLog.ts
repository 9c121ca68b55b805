import { Column, Entity, PrimaryColumn } from 'typeorm'

export type AuditAction =
  'CREATE' | 'UPDATE' | 'DELETE' | 'VIEW' | 'SIGN_IN' | 'SIGN_IN_FAILED' | 'SIGN_OUT' | 'DENY' | 'EXPORT'

/** An entry of the audit trail. Partitioned by month, so every list names the time it is about. */
@Entity({ schema: 'shared', name: 'audit_logs' })
export class AuditLog {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  occurredAt: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'uuid', nullable: true })
  actorId: string | null

  @Column({ type: 'text' })
  action: AuditAction

  @Column({ type: 'varchar', length: 100 })
  resourceType: string

  @Column({ type: 'text', nullable: true })
  resourceId: string | null

  @Column({ type: 'jsonb', default: {} })
  changes: unknown

  @Column({ type: 'varchar', length: 50, nullable: true })
  ipAddress: string | null

  @Column({ type: 'text', nullable: true })
  userAgent: string | null

  @Column({ type: 'text', nullable: true })
  requestId: string | null
}
