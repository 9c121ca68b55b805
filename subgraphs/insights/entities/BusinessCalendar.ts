import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

type Weekday = 'MONDAY' | 'TUESDAY' | 'WEDNESDAY' | 'THURSDAY' | 'FRIDAY' | 'SATURDAY' | 'SUNDAY'

/** The hours in which a tenant's support works. */
@Entity({ schema: 'insights', name: 'business_calendars' })
export class BusinessCalendar extends TenantRow {
  @Column({ type: 'varchar', length: 100 })
  name: string

  @Column({ type: 'text' })
  timeZone: string

  @Column({ type: 'jsonb' })
  hours: readonly { weekday: Weekday; opensAt: string; closesAt: string }[]

  @Column({ type: 'date', array: true, default: [] })
  closedOn: readonly string[]
}
