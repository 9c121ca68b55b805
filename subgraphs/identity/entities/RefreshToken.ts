import { Column, Entity, PrimaryColumn } from 'typeorm'

/** One link in the chain of refresh tokens of a session. Only the last one can be used. */
@Entity({ schema: 'identity', name: 'refresh_tokens' })
export class RefreshToken {
  @PrimaryColumn({ name: 'tenant_id', type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ name: 'session_id', type: 'uuid' })
  sessionId: string

  /** SHA-256 of the secret, in hexadecimal. */
  @Column({ name: 'secret_hash', type: 'text' })
  secretHash: string

  @Column({ name: 'rotated_at', type: 'timestamptz', precision: 3, nullable: true })
  rotatedAt: string | null

  @Column({ name: 'successor_id', type: 'uuid', nullable: true })
  successorId: string | null

  @Column({ type: 'int', default: 1 })
  version: number

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string

  @Column({ name: 'updated_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt: string
}
