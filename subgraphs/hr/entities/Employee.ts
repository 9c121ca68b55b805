import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

/** Somebody who works for the tenant. */
@Entity({ schema: 'hr', name: 'employees' })
export class Employee extends TenantRow {
  @Column({ type: 'varchar', length: 50 })
  employeeNumber: string

  @Column({ type: 'uuid', nullable: true })
  userId: string | null

  /** Users whose login it was. */
  @Column({ type: 'uuid', array: true, default: [] })
  formerUserIds: string[]

  @Column({ type: 'varchar', length: 100, nullable: true })
  firstName: string | null

  @Column({ type: 'varchar', length: 100, nullable: true })
  lastName: string | null

  /** Made by the database from first and last name. */
  @Column({ type: 'text', insert: false, update: false, nullable: true })
  readonly fullName: string | null

  @Column({ type: 'varchar', length: 150, nullable: true })
  position: string | null

  @Column({ type: 'uuid', nullable: true })
  departmentId: string | null

  @Column({ type: 'uuid', nullable: true })
  managerId: string | null

  @Column({ type: 'date', nullable: true })
  hireDate: string | null

  @Column({ type: 'date', nullable: true })
  terminationDate: string | null

  /** Gross per year, in the currency's smallest unit. */
  @Column({ type: 'bigint', nullable: true })
  salary: string | null

  @Column({ type: 'text', nullable: true })
  salaryCurrency: string | null

  @Column({ type: 'double precision', nullable: true })
  performanceScore: number | null

  @Column({ type: 'double precision', nullable: true })
  retentionRisk: number | null

  @Column({ type: 'boolean', default: true })
  isActive: boolean
}
