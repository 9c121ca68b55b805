import { Column, Entity, PrimaryColumn } from 'typeorm'

export type IndustryLevel = 'SECTION' | 'DIVISION'

/** A section or division of ISIC, Rev. 4: the same for all tenants, so it belongs to none. */
@Entity({ schema: 'tenancy', name: 'industries' })
export class Industry {
  @PrimaryColumn({ type: 'uuid' })
  id: string

  /** A section's letter or a division's two digits. */
  @Column({ type: 'varchar', length: 2 })
  code: string

  @Column({ type: 'varchar', length: 200 })
  name: string

  /** Made by the database from the code. */
  @Column({ type: 'text', insert: false, update: false })
  readonly level: IndustryLevel

  /** The section of a division; null for a section. */
  @Column({ type: 'uuid', nullable: true })
  parentId: string | null

  @Column({ type: 'boolean', default: true })
  isActive: boolean
}
