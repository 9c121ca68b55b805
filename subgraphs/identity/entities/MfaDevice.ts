import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type MfaDeviceType = 'TOTP' | 'RECOVERY_CODES'

/** A second factor of a user: an authenticator, or the recovery codes in place of one. */
@Entity({ schema: 'identity', name: 'mfa_devices' })
export class MfaDevice extends TenantRow {
  @Column({ type: 'uuid' })
  userId: string

  @Column({ type: 'text' })
  type: MfaDeviceType

  @Column({ type: 'varchar', length: 100 })
  label: string

  /** Base 32, encrypted; null for recovery codes. */
  @Column({ type: 'text', nullable: true })
  secret: string | null

  /** The time step of the last code that was taken. */
  @Column({ type: 'int', nullable: true })
  lastStep: number | null

  /** SHA-256 of the codes that are left, in hexadecimal, a space behind each; null for an authenticator. */
  @Column({ type: 'text', nullable: true })
  codeHashes: string | null

  /** The number of them. */
  @Column({ type: 'int', nullable: true })
  remainingCodes: number | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  confirmedAt: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  lastUsedAt: string | null
}
