import { uuidv7 } from '../../../kernel/id'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { SecurityAlert, type AlertSeverity } from '../entities/SecurityAlert'
import { groupMs } from '../rules/alert'

/** Describes what looks like an attack, as whoever saw it tells it. */
export interface SeenAlert {
  alertType: string
  severity: AlertSeverity
  description: string
  /** Makes alerts the same. */
  fingerprint: string
  sourceIp?: string | null
  destinationIp?: string | null
  isThreat?: boolean
  threatScore?: number | null
  userId?: string | null
}

const lockGroup = `INSERT INTO compliance.alert_groups AS g (fingerprint, alert_id, last_seen_at) VALUES ($1, $2, $3)
  ON CONFLICT (tenant_id, fingerprint) DO UPDATE SET last_seen_at = greatest(g.last_seen_at, EXCLUDED.last_seen_at),
    alert_id = CASE WHEN g.last_seen_at > $4 THEN g.alert_id ELSE EXCLUDED.alert_id END
  RETURNING alert_id`
const moveGroup = 'UPDATE compliance.alert_groups SET alert_id = $3 WHERE tenant_id = $1 AND fingerprint = $2'
/** Counts without a new version: how often it was seen is no change that somebody's work on it could miss. */
const count = `UPDATE compliance.security_alerts SET occurrences = occurrences + 1, last_seen_at = $3, updated_at = $3,
    is_threat = is_threat OR $4, severity = CASE WHEN $5 > severity_level THEN $6 ELSE severity END
  WHERE tenant_id = $1 AND id = $2 AND status <> 'RESOLVED'`
const suppress = `UPDATE compliance.alert_suppressions SET suppressed = suppressed + 1, updated_at = $3
  WHERE tenant_id = $1 AND id = (SELECT s.id FROM compliance.alert_suppressions s
    WHERE s.tenant_id = $1 AND s.alert_type = $2 AND s.until > $3 ORDER BY s.until DESC, s.id LIMIT 1)`

const levels: readonly AlertSeverity[] = ['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL']

/**
 * Raises an alert, or counts one: the same fingerprint within an hour of the last time is one alert, however many raise it at
 * once. Where its type is silenced nothing is told, unless it is CRITICAL. A resolved alert is not counted on: what comes after
 * is a new one.
 * @returns the alert's id; null when it was silenced
 */
export async function raiseAlert(
  tx: MutationTransaction<string>,
  tenantId: string,
  seen: SeenAlert,
  now: Date,
): Promise<string | null> {
  const at = now.toISOString()
  if (seen.severity !== 'CRITICAL' && (await tx.run(prepared(suppress, [tenantId, seen.alertType, at]))) > 0)
    return null
  const id = uuidv7(now.getTime())
  const since = new Date(now.getTime() - groupMs).toISOString()
  const [group] = await tx.rows(prepared(lockGroup, [seen.fingerprint, id, at, since]))
  const grouped = String(group![0])
  if (grouped !== id) {
    const level = levels.indexOf(seen.severity) + 1
    const values = [tenantId, grouped, at, seen.isThreat ?? false, level, seen.severity]
    if ((await tx.run(prepared(count, values))) > 0) return grouped
    await tx.run(prepared(moveGroup, [tenantId, seen.fingerprint, id]))
  }
  await tx.insert(SecurityAlert, { ...seen, id, createdAt: at, lastSeenAt: at })
  return id
}
