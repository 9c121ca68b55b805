import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type JobState = 'WAITING' | 'RUNNING' | 'DONE' | 'FAILED' | 'CANCELLED'

/** A piece of work of any subgraph (`kernel/jobs.ts`); its payload is for the one that does it. */
@Entity({ schema: 'shared', name: 'jobs' })
export class Job extends TenantRow {
  @Column({ type: 'varchar', length: 100 })
  name: string

  @Column({ type: 'text', default: 'WAITING' })
  state: JobState

  @Column({ type: 'timestamptz', precision: 3, default: () => 'now()' })
  dueAt: string

  @Column({ type: 'int', default: 0 })
  attempts: number

  @Column({ type: 'int', default: 5 })
  mostAttempts: number

  @Column({ type: 'int', default: 0 })
  stepsDone: number

  @Column({ type: 'int', nullable: true })
  stepsTotal: number | null

  @Column({ type: 'varchar', length: 1000, nullable: true })
  fault: string | null

  @Column({ type: 'uuid', nullable: true })
  requestedById: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  cancelRequestedAt: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  startedAt: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  endedAt: string | null
}
