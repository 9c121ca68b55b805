import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type CredentialType = 'PASSKEY'

/** Means of signing in besides the password: a passkey, whose private key stays in the user's authenticator. */
@Entity({ schema: 'identity', name: 'credentials' })
export class Credential extends TenantRow {
  @Column({ type: 'uuid' })
  userId: string

  @Column({ type: 'text', default: 'PASSKEY' })
  type: CredentialType

  @Column({ type: 'varchar', length: 100 })
  label: string

  @Column({ type: 'varchar', length: 255 })
  issuer: string

  @Column({ type: 'varchar', length: 1364 })
  subject: string

  /** COSE (RFC 9052), base64url. */
  @Column({ type: 'text' })
  publicKey: string

  /** Of the last signature that was taken; 0 where the authenticator does not count. */
  @Column({ type: 'bigint', default: 0 })
  signCount: string

  /** Ways by which browsers reach the authenticator, in the words of WebAuthn. */
  @Column({ type: 'text', array: true, default: [] })
  transports: string[]

  @Column({ type: 'boolean', default: false })
  backedUp: boolean

  @Column({ type: 'boolean', default: true })
  signsInAlone: boolean

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  lastUsedAt: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  blockedAt: string | null
}
