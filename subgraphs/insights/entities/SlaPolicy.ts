import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'
import type { SupportTicketPriority } from './SupportTicket'

/** The times in which a tenant promises to answer and resolve tickets of a priority. */
@Entity({ schema: 'insights', name: 'sla_policies' })
export class SlaPolicy extends TenantRow {
  @Column({ type: 'varchar', length: 100 })
  name: string

  @Column({ type: 'text' })
  priority: SupportTicketPriority

  @Column({ type: 'int' })
  firstResponseMinutes: number

  @Column({ type: 'int' })
  resolutionMinutes: number

  @Column({ type: 'uuid', nullable: true })
  calendarId: string | null
}
