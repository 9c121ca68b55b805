import { Column, Entity, PrimaryColumn } from 'typeorm'

/** Somebody who works for the tenant. */
@Entity({ schema: 'hr', name: 'employees' })
export class Employee {
  @PrimaryColumn({ name: 'tenant_id', type: 'uuid', default: () => "(current_setting('app.tenant_id'))" })
  tenantId: string

  @PrimaryColumn({ type: 'uuid' })
  id: string

  @Column({ name: 'employee_number', type: 'varchar', length: 50 })
  employeeNumber: string

  @Column({ name: 'user_id', type: 'uuid', nullable: true })
  userId: string | null

  @Column({ name: 'first_name', type: 'varchar', length: 100, nullable: true })
  firstName: string | null

  @Column({ name: 'last_name', type: 'varchar', length: 100, nullable: true })
  lastName: string | null

  /** Made by the database from first and last name. */
  @Column({ name: 'full_name', type: 'text', insert: false, update: false, nullable: true })
  readonly fullName: string | null

  @Column({ type: 'varchar', length: 150, nullable: true })
  position: string | null

  @Column({ name: 'department_id', type: 'uuid', nullable: true })
  departmentId: string | null

  @Column({ name: 'hire_date', type: 'date', nullable: true })
  hireDate: string | null

  @Column({ name: 'termination_date', type: 'date', nullable: true })
  terminationDate: string | null

  /** Gross per year, in the currency's smallest unit. */
  @Column({ type: 'bigint', nullable: true })
  salary: string | null

  @Column({ name: 'salary_currency', type: 'text', nullable: true })
  salaryCurrency: string | null

  @Column({ name: 'performance_score', type: 'double precision', nullable: true })
  performanceScore: number | null

  @Column({ name: 'retention_risk', type: 'double precision', nullable: true })
  retentionRisk: number | null

  @Column({ name: 'is_active', type: 'boolean', default: true })
  isActive: boolean

  @Column({ type: 'int', default: 1 })
  version: number

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  createdAt: string

  @Column({ name: 'updated_at', type: 'timestamptz', precision: 3, default: () => 'now()' })
  updatedAt: string
}
