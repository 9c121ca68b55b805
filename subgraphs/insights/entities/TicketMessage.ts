import { Column, Entity, PrimaryColumn } from 'typeorm'

export type TicketMessageVisibility = 'PUBLIC' | 'INTERNAL'

/** A message of a ticket. Never changed but by erasure, and by a merge that says to which conversation it belongs. */
@Entity({ schema: 'insights', name: 'ticket_messages' })
export class TicketMessage {
  @PrimaryColumn({ type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  /** The ticket that it was written to. */
  @Column({ type: 'uuid' })
  ticketId: string

  /** The ticket whose conversation it is part of: another one after a merge. */
  @Column({ type: 'uuid' })
  conversationId: string

  @Column({ type: 'uuid', nullable: true })
  authorId: string | null

  @Column({ type: 'uuid', nullable: true })
  customerId: string | null

  @Column({ type: 'boolean', default: false })
  isFromCustomer: boolean

  @Column({ type: 'text' })
  visibility: TicketMessageVisibility

  @Column({ type: 'text' })
  language: string

  @Column({ type: 'text', nullable: true })
  body: string | null

  @Column({ type: 'timestamptz', precision: 3 })
  sentAt: string
}
