import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type UserKind = 'PERSON' | 'SERVICE'

export type UserStatus = 'ACTIVE' | 'SUSPENDED' | 'INVITED'

/** Somebody who can sign in to a tenant. */
@Entity({ schema: 'identity', name: 'users' })
export class User extends TenantRow {
  /** In lower case: the normal form. */
  @Column({ type: 'varchar', length: 255 })
  email: string

  @Column({ type: 'varchar', length: 100, nullable: true })
  username: string | null

  @Column({ type: 'varchar', length: 255, nullable: true })
  externalId: string | null

  @Column({ type: 'varchar', length: 100, nullable: true })
  firstName: string | null

  @Column({ type: 'varchar', length: 100, nullable: true })
  lastName: string | null

  /** The full name as somebody wrote it, where first and last name joined are not it. */
  @Column({ type: 'varchar', length: 200, nullable: true })
  fullNameOverride: string | null

  /** Made by the database from the three above. */
  @Column({ type: 'text', nullable: true, insert: false, update: false })
  readonly fullName: string | null

  @Column({ type: 'varchar', length: 50, nullable: true })
  phone: string | null

  /** By which equal telephone numbers are found, which are encrypted. */
  @Column({ type: 'text', nullable: true })
  phoneIndex: string | null

  @Column({ type: 'text', nullable: true })
  avatarUrl: string | null

  @Column({ type: 'text', default: 'PERSON' })
  kind: UserKind

  @Column({ type: 'text', default: 'ACTIVE' })
  status: UserStatus

  @Column({ type: 'jsonb', default: {} })
  preferences: unknown

  @Column({ type: 'varchar', length: 255, nullable: true })
  passwordHash: string | null

  @Column({ type: 'boolean', default: false })
  passwordChangeRequired: boolean

  /** SHA-256 of the invitation's secret; null when there is no invitation. */
  @Column({ type: 'text', nullable: true })
  invitationHash: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  invitationExpiresAt: string | null

  @Column({ type: 'boolean', default: false })
  mfaEnabled: boolean

  @Column({ type: 'varchar', length: 255, nullable: true })
  mfaSecret: string | null

  /** Scopes given to this user directly, besides those of the roles. */
  @Column({ type: 'text', array: true, default: [] })
  grantedPermissions: string[]

  /** Counts every change of what this user may do. */
  @Column({ type: 'int', default: 1 })
  permissionVersion: number

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  lastLoginAt: string | null

  @Column({ type: 'uuid', nullable: true })
  createdById: string | null

  @Column({ type: 'uuid', nullable: true })
  updatedById: string | null
}
