import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type AuthMethod = 'PASSWORD' | 'TOTP' | 'RECOVERY_CODE' | 'PASSKEY'

export type SessionEnd =
  | 'SIGNED_OUT'
  | 'REVOKED'
  | 'PASSWORD_CHANGED'
  | 'PASSWORD_CHANGE_REQUIRED'
  | 'SUSPENDED'
  | 'INVITED_AGAIN'
  | 'TOKEN_COPIED'
  | 'PASSKEY_COPIED'

/** One sign-in of a user, until sign-out, 30 idle minutes or its end. */
@Entity({ schema: 'identity', name: 'sessions' })
export class Session extends TenantRow {
  @Column({ type: 'uuid' })
  userId: string

  @Column({ type: 'timestamptz', precision: 3 })
  lastSeenAt: string

  @Column({ type: 'timestamptz', precision: 3 })
  expiresAt: string

  @Column({ type: 'text', array: true, default: ['PASSWORD'] })
  authMethods: AuthMethod[]

  /** Null in sessions that began before this was noted. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  provedAt: string | null

  /** By what; null in sessions that began before this was noted. */
  @Column({ type: 'text', nullable: true })
  provedBy: AuthMethod | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  revokedAt: string | null

  /** Null where the product ended it. */
  @Column({ type: 'uuid', nullable: true })
  revokedById: string | null

  @Column({ type: 'text', nullable: true })
  revokeReason: SessionEnd | null

  @Column({ type: 'varchar', length: 50, nullable: true })
  ipAddress: string | null

  @Column({ type: 'text', nullable: true })
  userAgent: string | null
}
