import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

/** A tenant's end customer. */
@Entity({ schema: 'insights', name: 'customers' })
export class Customer extends TenantRow {
  @Column({ type: 'varchar', length: 255 })
  externalId: string

  /** In lower case: the normal form. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  email: string | null

  @Column({ type: 'varchar', length: 100, nullable: true })
  firstName: string | null

  @Column({ type: 'varchar', length: 100, nullable: true })
  lastName: string | null

  /** The full name as somebody wrote it, where first and last name joined are not it. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  fullNameOverride: string | null

  /** Made by the database from the three above. */
  @Column({ type: 'text', insert: false, update: false, nullable: true })
  readonly fullName: string | null

  @Column({ type: 'varchar', length: 255, nullable: true })
  company: string | null

  @Column({ type: 'varchar', length: 100, nullable: true })
  industry: string | null

  @Column({ type: 'varchar', length: 100, nullable: true })
  segment: string | null

  /** In the currency's smallest unit. */
  @Column({ type: 'bigint', nullable: true })
  lifetimeValue: string | null

  @Column({ type: 'text', nullable: true })
  lifetimeValueCurrency: string | null

  @Column({ type: 'double precision', nullable: true })
  churnRisk: number | null

  /** Made by the database from the next two. */
  @Column({
    type: 'double precision',
    insert: false,
    update: false,
    nullable: true,
  })
  readonly averageSentiment: number | null

  /** Of the interactions that have a sentiment; exact, hence a text. */
  @Column({ type: 'numeric', default: 0 })
  sentimentSum: string

  @Column({ type: 'int', default: 0 })
  sentimentCount: number

  @Column({ type: 'int', default: 0 })
  interactionCount: number

  @Column({ type: 'timestamptz', precision: 3 })
  firstSeenAt: string

  @Column({ type: 'timestamptz', precision: 3 })
  lastSeenAt: string

  @Column({ type: 'boolean', default: true })
  isActive: boolean

  @Column({ type: 'jsonb', default: {} })
  metadata: unknown

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  erasedAt: string | null
}
