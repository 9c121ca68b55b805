import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type ApiKeyType = 'PRIVATE'

/** A key with which a program asks, for its owner and with part of the owner's rights. */
@Entity({ schema: 'identity', name: 'api_keys' })
export class ApiKey extends TenantRow {
  @Column({ type: 'uuid' })
  ownerId: string

  @Column({ type: 'varchar', length: 255 })
  name: string

  @Column({ type: 'varchar', length: 20 })
  keyPrefix: string

  @Column({ type: 'text', default: 'PRIVATE' })
  type: ApiKeyType

  /** SHA-256 of the secret, in hexadecimal. */
  @Column({ type: 'text' })
  secretHash: string

  /** Of the secret before the last rotation, which counts until `previousUntil`. */
  @Column({ type: 'text', nullable: true })
  previousHash: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  previousUntil: string | null

  @Column({ type: 'text', array: true })
  scopes: string[]

  @Column({ type: 'int', default: 1000 })
  rateLimit: number

  /** CIDR; empty for all. */
  @Column({ type: 'text', array: true, default: [] })
  allowedNetworks: string[]

  @Column({ type: 'timestamptz', precision: 3 })
  expiresAt: string

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  lastUsedAt: string | null

  @Column({ type: 'jsonb', default: { requests: 0 } })
  usageStats: unknown

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  rotatedAt: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  revokedAt: string | null

  @Column({ type: 'uuid', nullable: true })
  revokedById: string | null

  @Column({ type: 'uuid', nullable: true })
  createdById: string | null
}
