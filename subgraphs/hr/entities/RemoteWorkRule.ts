import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'
import type { RemoteKind } from './RemoteWorkSession'

/** An agreement about a kind of remote work from a day on. */
@Entity({ schema: 'hr', name: 'remote_work_rules' })
export class RemoteWorkRule extends TenantRow {
  @Column({ type: 'text' })
  kind: RemoteKind

  @Column({ type: 'date' })
  validFrom: string

  /** Null: as many as there are. */
  @Column({ type: 'int', nullable: true })
  daysPerYear: number | null

  @Column({ type: 'boolean', default: false })
  needsApproval: boolean
}
