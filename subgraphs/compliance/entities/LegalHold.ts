import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type HoldStatus = 'ACTIVE' | 'RELEASE_PROPOSED' | 'RELEASED'

/** A duty to keep things, whatever retention or erasure says, until two persons end it. */
@Entity({ schema: 'compliance', name: 'legal_holds' })
export class LegalHold extends TenantRow {
  @Column({ type: 'varchar', length: 50 })
  holdNumber: string

  @Column({ type: 'varchar', length: 200 })
  name: string

  @Column({ type: 'varchar', length: 2000 })
  reason: string

  @Column({ type: 'text', default: 'ACTIVE' })
  status: HoldStatus

  @Column({ type: 'uuid' })
  placedById: string

  @Column({ type: 'varchar', length: 2000, nullable: true })
  releaseReason: string | null

  @Column({ type: 'uuid', nullable: true })
  releaseProposedById: string | null

  @Column({ type: 'uuid', nullable: true })
  releasedById: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  releasedAt: string | null
}
