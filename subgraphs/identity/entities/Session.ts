import { Column, Entity, PrimaryColumn } from 'typeorm'

/** One sign-in of a user, until sign-out, 30 idle minutes or its end. */
@Entity({ schema: 'identity', name: 'sessions' })
export class Session {
  @PrimaryColumn({ name: 'tenant_id', type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ name: 'user_id', type: 'uuid' })
  userId: string

  @Column({ name: 'last_seen_at', type: 'timestamptz', precision: 3 })
  lastSeenAt: string

  @Column({ name: 'expires_at', type: 'timestamptz', precision: 3 })
  expiresAt: string

  @Column({ name: 'revoked_at', type: 'timestamptz', precision: 3, nullable: true })
  revokedAt: string | null

  @Column({ name: 'ip_address', type: 'varchar', length: 50, nullable: true })
  ipAddress: string | null

  @Column({ name: 'user_agent', type: 'text', nullable: true })
  userAgent: string | null

  @Column({ type: 'int', default: 1 })
  version: number

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string

  @Column({ name: 'updated_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt: string
}
