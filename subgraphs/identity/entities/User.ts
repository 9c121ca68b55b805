import { Column, Entity, PrimaryColumn } from 'typeorm'

export type UserStatus = 'ACTIVE' | 'SUSPENDED' | 'INVITED'

/** Somebody who can sign in to a tenant. */
@Entity({ schema: 'identity', name: 'users' })
export class User {
  @PrimaryColumn({ name: 'tenant_id', type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  /** In lower case: the normal form. */
  @Column({ type: 'varchar', length: 255 })
  email: string

  @Column({ type: 'varchar', length: 100, nullable: true })
  username: string | null

  @Column({ name: 'external_id', type: 'varchar', length: 255, nullable: true })
  externalId: string | null

  @Column({ name: 'first_name', type: 'varchar', length: 100, nullable: true })
  firstName: string | null

  @Column({ name: 'last_name', type: 'varchar', length: 100, nullable: true })
  lastName: string | null

  /** The full name as somebody wrote it, where first and last name joined are not it. */
  @Column({ name: 'full_name_override', type: 'varchar', length: 200, nullable: true })
  fullNameOverride: string | null

  /** Made by the database from the three above. */
  @Column({ name: 'full_name', type: 'text', nullable: true, insert: false, update: false })
  readonly fullName: string | null

  @Column({ type: 'varchar', length: 50, nullable: true })
  phone: string | null

  @Column({ name: 'avatar_url', type: 'text', nullable: true })
  avatarUrl: string | null

  @Column({ type: 'text', default: 'ACTIVE' })
  status: UserStatus

  @Column({ type: 'jsonb', default: {} })
  preferences: unknown

  @Column({ name: 'password_hash', type: 'varchar', length: 255, nullable: true })
  passwordHash: string | null

  @Column({ name: 'password_change_required', type: 'boolean', default: false })
  passwordChangeRequired: boolean

  /** SHA-256 of the invitation's secret; null when there is no invitation. */
  @Column({ name: 'invitation_hash', type: 'text', nullable: true })
  invitationHash: string | null

  @Column({ name: 'invitation_expires_at', type: 'timestamptz', precision: 3, nullable: true })
  invitationExpiresAt: string | null

  @Column({ name: 'mfa_enabled', type: 'boolean', default: false })
  mfaEnabled: boolean

  @Column({ name: 'mfa_secret', type: 'varchar', length: 255, nullable: true })
  mfaSecret: string | null

  /** Scopes given to this user directly, besides those of the roles. */
  @Column({ name: 'granted_permissions', type: 'text', array: true, default: [] })
  grantedPermissions: string[]

  /** Counts every change of what this user may do. */
  @Column({ name: 'permission_version', type: 'int', default: 1 })
  permissionVersion: number

  @Column({ name: 'last_login_at', type: 'timestamptz', precision: 3, nullable: true })
  lastLoginAt: string | null

  @Column({ name: 'created_by_id', type: 'uuid', nullable: true })
  createdById: string | null

  @Column({ name: 'updated_by_id', type: 'uuid', nullable: true })
  updatedById: string | null

  @Column({ type: 'int', default: 1 })
  version: number

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string

  @Column({ name: 'updated_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt: string
}
