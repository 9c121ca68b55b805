import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

/** One link in the chain of refresh tokens of a session. Only the last one can be used. */
@Entity({ schema: 'identity', name: 'refresh_tokens' })
export class RefreshToken extends TenantRow {
  @Column({ type: 'uuid' })
  sessionId: string

  /** SHA-256 of the secret, in hexadecimal. */
  @Column({ type: 'text' })
  secretHash: string

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  rotatedAt: string | null

  @Column({ type: 'uuid', nullable: true })
  successorId: string | null
}
