import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

/** One sign-in of a user, until sign-out, 30 idle minutes or its end. */
@Entity({ schema: 'identity', name: 'sessions' })
export class Session extends TenantRow {
  @Column({ type: 'uuid' })
  userId: string

  @Column({ type: 'timestamptz', precision: 3 })
  lastSeenAt: string

  @Column({ type: 'timestamptz', precision: 3 })
  expiresAt: string

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  revokedAt: string | null

  @Column({ type: 'varchar', length: 50, nullable: true })
  ipAddress: string | null

  @Column({ type: 'text', nullable: true })
  userAgent: string | null
}
