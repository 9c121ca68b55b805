import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

export type MatchDecision = 'OPEN' | 'FALSE_POSITIVE' | 'TRUE_MATCH'

/** An entry of a list that the subject of a compliance record looks like. */
@Entity({ schema: 'compliance', name: 'screening_matches' })
export class ScreeningMatch extends TenantRow {
  @Column({ type: 'uuid' })
  recordId: string

  @Column({ type: 'varchar', length: 100 })
  listName: string

  @Column({ type: 'varchar', length: 100 })
  listVersion: string

  @Column({ type: 'varchar', length: 100 })
  entryId: string

  /** Of the subject and the entry as they were compared: what was decided holds as long as neither changes. */
  @Column({ type: 'varchar', length: 100 })
  comparedDigest: string

  @Column({ type: 'text' })
  listedName: string

  @Column({ type: 'int' })
  score: number

  @Column({ type: 'text', default: 'OPEN' })
  decision: MatchDecision

  /** Tells whether the last screening found it. */
  @Column({ type: 'boolean', default: true })
  isCurrent: boolean

  @Column({ type: 'text', nullable: true })
  comment: string | null

  @Column({ type: 'uuid', nullable: true })
  decidedById: string | null

  @Column({ type: 'timestamptz', precision: 3, nullable: true })
  decidedAt: string | null
}
