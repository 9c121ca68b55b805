import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

/** A week of work somewhere: how long is worked on each of its days. */
@Entity({ schema: 'hr', name: 'work_calendars' })
export class WorkCalendar extends TenantRow {
  @Column({ type: 'varchar', length: 100 })
  name: string

  @Column({ type: 'varchar', length: 2, nullable: true })
  countryCode: string | null

  @Column({ type: 'varchar', length: 10, nullable: true })
  region: string | null

  @Column({ type: 'varchar', length: 64 })
  timeZone: string

  @Column({ type: 'int', default: 480 })
  mondayMinutes: number

  @Column({ type: 'int', default: 480 })
  tuesdayMinutes: number

  @Column({ type: 'int', default: 480 })
  wednesdayMinutes: number

  @Column({ type: 'int', default: 480 })
  thursdayMinutes: number

  @Column({ type: 'int', default: 480 })
  fridayMinutes: number

  @Column({ type: 'int', default: 0 })
  saturdayMinutes: number

  @Column({ type: 'int', default: 0 })
  sundayMinutes: number

  @Column({ type: 'boolean', default: false })
  isDefault: boolean

  @Column({ type: 'boolean', default: true })
  isActive: boolean
}
