import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type AlertSeverity = 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL'
export type AlertStatus = 'OPEN' | 'ACKNOWLEDGED' | 'INVESTIGATING' | 'RESOLVED'
export type AlertVerdict = 'TRUE_POSITIVE' | 'FALSE_POSITIVE' | 'BENIGN'

/** A sign of an attack, once for all times that it is seen within an hour of each other. */
@Entity({ schema: 'compliance', name: 'security_alerts' })
export class SecurityAlert extends TenantRow {
  @Column({ type: 'varchar', length: 100 })
  alertType: string

  @Column({ type: 'text' })
  severity: AlertSeverity

  /** Made by the database: 1 for INFO to 5 for CRITICAL. */
  @Column({ type: 'int', insert: false, update: false })
  readonly severityLevel: number

  @Column({ type: 'inet', nullable: true })
  sourceIp: string | null

  @Column({ type: 'inet', nullable: true })
  destinationIp: string | null

  @Column({ type: 'varchar', length: 2000 })
  description: string

  @Column({ type: 'boolean', default: false })
  isThreat: boolean

  /** 0 to 1. */
  @Column({ type: 'double precision', nullable: true })
  threatScore: number | null

  @Column({ type: 'text', default: 'OPEN' })
  status: AlertStatus

  @Column({ type: 'text', nullable: true })
  verdict: AlertVerdict | null

  @Column({ type: 'varchar', length: 2000, nullable: true })
  note: string | null

  @Column({ type: 'varchar', length: 200 })
  fingerprint: string

  @Column({ type: 'int', default: 1 })
  occurrences: number

  @Column({ type: 'timestamptz', precision: 3 })
  lastSeenAt: string

  /** Whom it is about. */
  @Column({ type: 'uuid', nullable: true })
  userId: string | null

  @Column({ type: 'uuid', nullable: true })
  assigneeId: string | null

  @Column({ type: 'uuid', nullable: true })
  resolvedById: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  resolvedAt: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  reopenedAt: string | null
}
