import { Column, Entity, PrimaryColumn } from 'typeorm'

/** A country or territory of ISO 3166-1: the same for all tenants, so it belongs to none. */
@Entity({ schema: 'tenancy', name: 'countries' })
export class Country {
  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ type: 'varchar', length: 100 })
  name: string

  @Column({ type: 'varchar', length: 2 })
  isoCode2: string

  @Column({ type: 'varchar', length: 3 })
  isoCode3: string

  /** Three digits, leading zeros kept. */
  @Column({ type: 'varchar', length: 3 })
  isoNumeric: string

  @Column({ type: 'boolean', default: true })
  isActive: boolean
}
