import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { ComplianceRecord } from '../entities/ComplianceRecord'
import { ScreeningMatch } from '../entities/ScreeningMatch'
import { comparedDigest, newDigestKey } from '../digest'
import { transitions } from '../rules/review'
import type { ScreeningResult } from './provider'

/** Counts the matches of the last screening that stand in the way of an approval: open ones, and true ones. */
export async function standingMatches(
  tx: MutationTransaction<string>,
  tenantId: string,
  recordId: string,
): Promise<{ open: number; confirmed: number }> {
  const text = `SELECT count(*) FILTER (WHERE decision = 'OPEN')::int, count(*) FILTER (WHERE decision = 'TRUE_MATCH')::int
    FROM compliance.screening_matches WHERE tenant_id = $1 AND record_id = $2 AND is_current`
  const [row] = await tx.rows(prepared(text, [tenantId, recordId]))
  return { open: Number(row![0]), confirmed: Number(row![1]) }
}

/**
 * Writes what a screening found. A match that was decided keeps its decision as long as neither the person nor the entry
 * changes; one that is not found any more stays, and stands in nobody's way.
 * @param record locked, SCREENING or APPROVED
 */
export async function writeScreening(
  tx: MutationTransaction<string>,
  record: ComplianceRecord,
  { listVersion, hits }: ScreeningResult,
  now: Date,
): Promise<void> {
  const digestKey = record.digestKey ?? newDigestKey()
  const found: ScreeningMatch[] = []
  for (const { entryDigest, score, ...hit } of hits) {
    const match = {
      ...hit,
      score,
      recordId: record.id,
      listVersion,
      comparedDigest: comparedDigest(digestKey, record, entryDigest),
    }
    const { row } = await tx.insertOnce(ScreeningMatch, match, ['recordId', 'entryId', 'comparedDigest'])
    found.push(row)
  }
  await tx.run(
    prepared(
      `UPDATE compliance.screening_matches SET is_current = id = ANY ($3), version = version + 1, updated_at = $4
        WHERE tenant_id = $1 AND record_id = $2 AND is_current <> (id = ANY ($3))`,
      [record.tenantId, record.id, found.map(({ id }) => id), now.toISOString()],
    ),
  )
  const isClear = found.every(({ decision }) => decision === 'FALSE_POSITIVE')
  const status = transitions[isClear ? 'FIND_NOBODY' : 'FIND_SOMEBODY'][record.status]!
  await tx.update(ComplianceRecord, record.id, null, {
    status,
    listVersion,
    digestKey,
    screenedAt: now.toISOString(),
    screenedVersion: record.contentVersion,
  })
}
