import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

/** By which calendar an employee works from a day on. The next one ends it, so two never overlap. */
@Entity({ schema: 'hr', name: 'calendar_assignments' })
export class CalendarAssignment extends TenantRow {
  @Column({ type: 'uuid' })
  employeeId: string

  @Column({ type: 'uuid' })
  calendarId: string

  @Column({ type: 'date' })
  validFrom: string
}
