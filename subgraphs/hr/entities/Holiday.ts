import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type DayHalf = 'FULL' | 'MORNING' | 'AFTERNOON'

/** A day, or half a day, on which the tenant does not work. */
@Entity({ schema: 'hr', name: 'holidays' })
export class Holiday extends TenantRow {
  @Column({ type: 'varchar', length: 100 })
  name: string

  @Column({ type: 'date' })
  day: string

  @Column({ type: 'text', default: 'FULL' })
  half: DayHalf

  @Column({ type: 'uuid', nullable: true })
  calendarId: string | null

  @Column({ type: 'varchar', length: 2, nullable: true })
  countryCode: string | null

  @Column({ type: 'varchar', length: 10, nullable: true })
  region: string | null
}
