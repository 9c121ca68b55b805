import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type RequestType = 'ACCESS' | 'ERASURE' | 'RECTIFICATION' | 'PORTABILITY' | 'RESTRICTION' | 'OBJECTION'
export type RequestStatus =
  'RECEIVED' | 'VERIFIED' | 'COLLECTING' | 'REVIEW' | 'FULFILLING' | 'FULFILLED' | 'REJECTED'

/** A request of a person to the tenant by the rights that data protection gives, and its answer. */
@Entity({ schema: 'compliance', name: 'data_subject_requests' })
export class DataSubjectRequest extends TenantRow {
  @Column({ type: 'varchar', length: 50 })
  requestNumber: string

  @Column({ type: 'text' })
  type: RequestType

  @Column({ type: 'text', default: 'RECEIVED' })
  status: RequestStatus

  @Column({ type: 'text' })
  subjectType: 'CUSTOMER' | 'EMPLOYEE' | 'USER'

  @Column({ type: 'uuid', nullable: true })
  customerId: string | null

  @Column({ type: 'uuid', nullable: true })
  employeeId: string | null

  @Column({ type: 'uuid', nullable: true })
  userId: string | null

  @Column({ type: 'text', nullable: true })
  requesterEmail: string | null

  @Column({ type: 'timestamptz', precision: 3 })
  receivedAt: string

  @Column({ type: 'uuid', nullable: true })
  receivedById: string | null

  @Column({ type: 'date' })
  dueDate: string

  @Column({ type: 'date', nullable: true })
  extendedTo: string | null

  @Column({ type: 'varchar', length: 2000, nullable: true })
  extensionReason: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  verifiedAt: string | null

  /** The way in which the person was known. */
  @Column({ type: 'varchar', length: 500, nullable: true })
  verification: string | null

  /** Tells whether the requester's address was on record of the person when that was known. */
  @Column({ type: 'boolean', nullable: true })
  isAddressKnown: boolean | null

  @Column({ type: 'uuid', nullable: true })
  verifiedById: string | null

  @Column({ type: 'uuid', nullable: true })
  collectedById: string | null

  @Column({ type: 'uuid', nullable: true })
  approvedById: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  approvedAt: string | null

  @Column({ type: 'uuid', nullable: true })
  fulfilledById: string | null

  @Column({ type: 'uuid', nullable: true })
  rejectedById: string | null

  @Column({ type: 'varchar', length: 2000, nullable: true })
  legalGround: string | null

  @Column({ type: 'varchar', length: 2000, nullable: true })
  outcome: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  fulfilledAt: string | null

  /** When it was fulfilled or rejected: its three years begin. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  endedAt: string | null

  /** The last question to the subgraphs. */
  @Column({ type: 'uuid', nullable: true })
  taskId: string | null

  /** Counts the subgraphs that answered it. */
  @Column({ type: 'int', default: 0 })
  answered: number

  /** The rows found, by type, and what erasing would leave. */
  @Column({ type: 'jsonb', nullable: true })
  collected: object | null

  @Column({ type: 'jsonb', nullable: true })
  receipt: object | null

  @Column({ type: 'varchar', length: 64, nullable: true })
  exportHash: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  exportExpiresAt: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  downloadedAt: string | null

  /** Counts the parts of it that were downloaded. */
  @Column({ type: 'int', default: 0 })
  downloadedParts: number

  /** The last time that the subgraphs were asked to erase. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  lastPassAt: string | null

  /** The next time, for what has to stay until then. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  nextPassAt: string | null

  /** Tells whether something stays because somebody holds it. */
  @Column({ type: 'boolean', default: false })
  isHeld: boolean

  /** When its key was destroyed, and with it the address and what was collected. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  shreddedAt: string | null
}
