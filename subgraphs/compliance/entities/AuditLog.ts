import { Column, Entity, PrimaryColumn } from 'typeorm'

export type AuditAction =
  'CREATE' | 'UPDATE' | 'DELETE' | 'VIEW' | 'SIGN_IN' | 'SIGN_IN_FAILED' | 'SIGN_OUT' | 'DENY'

/** An entry of the audit trail. Partitioned by month, so every list names the time it is about. */
@Entity({ schema: 'shared', name: 'audit_logs' })
export class AuditLog {
  @PrimaryColumn({ name: 'tenant_id', type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ name: 'occurred_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  occurredAt: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ name: 'actor_id', type: 'uuid', nullable: true })
  actorId: string | null

  @Column({ type: 'text' })
  action: AuditAction

  @Column({ name: 'resource_type', type: 'varchar', length: 100 })
  resourceType: string

  @Column({ name: 'resource_id', type: 'text', nullable: true })
  resourceId: string | null

  @Column({ type: 'jsonb', default: {} })
  changes: unknown

  @Column({ name: 'ip_address', type: 'varchar', length: 50, nullable: true })
  ipAddress: string | null

  @Column({ name: 'user_agent', type: 'text', nullable: true })
  userAgent: string | null

  @Column({ name: 'request_id', type: 'text', nullable: true })
  requestId: string | null
}
