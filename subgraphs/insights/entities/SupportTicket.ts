import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'
import type { InteractionChannel, SentimentLabel } from './CustomerInteraction'

export type SupportTicketStatus = 'NEW' | 'OPEN' | 'WAITING' | 'RESOLVED' | 'CLOSED'
export type SupportTicketPriority = 'LOW' | 'NORMAL' | 'HIGH' | 'URGENT'

/** A need that a customer has of a tenant's support. */
@Entity({ schema: 'insights', name: 'support_tickets' })
export class SupportTicket extends TenantRow {
  @Column({ type: 'varchar', length: 20 })
  ticketNumber: string

  /** In lower case: the normal form. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  customerEmail: string | null

  @Column({ type: 'uuid', nullable: true })
  customerId: string | null

  @Column({ type: 'varchar', length: 200, nullable: true })
  subject: string | null

  @Column({ type: 'text', nullable: true })
  description: string | null

  @Column({ type: 'varchar', length: 100, nullable: true })
  category: string | null

  @Column({ type: 'text' })
  priority: SupportTicketPriority

  @Column({ type: 'text' })
  channel: InteractionChannel

  @Column({ type: 'text', default: 'NEW' })
  status: SupportTicketStatus

  @Column({ type: 'double precision', nullable: true })
  sentimentScore: number | null

  /** Made by the database from the score. */
  @Column({ type: 'text', insert: false, update: false, nullable: true })
  readonly sentiment: SentimentLabel | null

  @Column({ type: 'text', default: 'en' })
  language: string

  @Column({ type: 'uuid', nullable: true })
  assigneeId: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  escalatedAt: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  resolvedAt: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  closedAt: string | null

  @Column({ type: 'uuid', nullable: true })
  followUpOfId: string | null

  @Column({ type: 'uuid', nullable: true })
  mergedIntoId: string | null

  @Column({ type: 'uuid', nullable: true })
  slaPolicyId: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  firstRespondedAt: string | null

  /** Working minutes that were promised, whatever became of the policy. */
  @Column({ type: 'int', nullable: true })
  firstResponseMinutes: number | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  firstResponseDueAt: string | null

  @Column({ type: 'int', nullable: true })
  firstResponseSecondsLeft: number | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  firstResponseBreachedAt: string | null

  @Column({ type: 'int', nullable: true })
  resolutionMinutes: number | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  resolutionDueAt: string | null

  @Column({ type: 'int', nullable: true })
  resolutionSecondsLeft: number | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  resolutionBreachedAt: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  erasedAt: string | null
}
