import type { SubgraphContext } from '../../../kernel/context'
import type { Job } from '../../../kernel/jobs'
import type { MutationTransaction } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { networkFault } from '../alerts/network'
import { raiseAlert } from '../alerts/raise'
import { gapOf, lookBackMs, suspicionsOf, type WatchedEntry } from '../rules/suspicion'

/** Entries that one run looks at; the next run takes the others. */
const mostEntries = 5_000

const firstPosition =
  'SELECT coalesce(min(position), 1) FROM shared.audit_logs WHERE tenant_id = $1 AND position IS NOT NULL'
const beginWatch =
  'INSERT INTO compliance.trail_watches (position) VALUES ($1) ON CONFLICT (tenant_id) DO NOTHING'
const lockWatch = 'SELECT position FROM compliance.trail_watches WHERE tenant_id = $1 FOR UPDATE'
const moveWatch = 'UPDATE compliance.trail_watches SET position = $2 WHERE tenant_id = $1'
const chainEnd = 'SELECT position FROM shared.audit_chains WHERE tenant_id = $1'

const columns = `position, occurred_at, actor_id, action, resource_id, changes -> 'after' ->> 'reason',
  CASE WHEN action = 'VIEW' AND changes -> 'read' -> 'followUp' IS NULL THEN coalesce((changes -> 'read' ->> 'rows')::int, jsonb_array_length(changes -> 'read' -> 'ids'), 0) ELSE 0 END,
  ip_address`
const newEntries = `SELECT ${columns} FROM shared.audit_logs
  WHERE tenant_id = $1 AND position > $2 ORDER BY position LIMIT ${mostEntries}`
const formerEntries = `SELECT ${columns} FROM shared.audit_logs
  WHERE tenant_id = $1 AND position <= $2 AND occurred_at >= $3 AND action IN ('SIGN_IN_FAILED', 'DENY', 'VIEW')
  ORDER BY position DESC LIMIT ${mostEntries}`
const knownUsers = 'SELECT id FROM shared.known_users($1) AS id'

const entryOf = (row: readonly unknown[]): WatchedEntry => {
  const [position, at, actorId, action, resourceId, reason, rows, ipAddress] = row
  return {
    position: Number(position),
    at: Date.parse(String(at)),
    actorId: actorId as string | null,
    action: String(action),
    resourceId: resourceId as string | null,
    reason: reason as string | null,
    rows: Number(rows),
    ipAddress: ipAddress as string | null,
  }
}

/** The position up to which the trail was looked through, locked. A trail that begins later has lost months by their age. */
async function watchedPosition(tx: MutationTransaction<string>, tenantId: string): Promise<number> {
  const [watch] = await tx.rows(prepared(lockWatch, [tenantId]))
  if (watch) return Number(watch[0])
  const [first] = await tx.rows(prepared(firstPosition, [tenantId]))
  await tx.run(prepared(beginWatch, [Number(first![0]) - 1]))
  return watchedPosition(tx, tenantId)
}

/** Tells which of the users are known: an entry can name what a caller made up. */
async function known(tx: MutationTransaction<string>, ids: readonly (string | null)[]): Promise<Set<string>> {
  const asked = ids.filter((id) => id !== null && /^[0-9a-f-]{36}$/i.test(id))
  if (asked.length === 0) return new Set()
  return new Set((await tx.rows(prepared(knownUsers, [asked]))).map(([id]) => String(id)))
}

/**
 * Looks through what is new in the audit trail for signs of an attack, and raises alerts. Entries are numbered without gaps once
 * they are sealed, so each is looked at once, and one that is missing is a sign itself.
 */
export const trailWatch: Job = {
  name: 'trail-watch',
  schedule: { cron: '*/15 * * * *', timeZone: 'UTC' },
  async run(context: SubgraphContext, tx, _, { signal }) {
    const tenantId = context.binding.tenantId!
    const after = await watchedPosition(tx, tenantId)
    // Before the entries: what is sealed meanwhile is then there, too.
    const [chain] = await tx.rows(prepared(chainEnd, [tenantId]))
    const end = Number(chain?.[0] ?? 0)
    const fresh = (await tx.rows(prepared(newEntries, [tenantId, after]))).map(entryOf)
    signal.throwIfAborted()
    const positions = fresh.map(({ position }) => position)
    const gap = gapOf(positions, after, fresh.length < mostEntries ? end : null)
    const earliest = Math.min(...fresh.map(({ at }) => at))
    const since = fresh.length > 0 ? new Date(earliest - lookBackMs).toISOString() : null
    const former = since
      ? (await tx.rows(prepared(formerEntries, [tenantId, after, since]))).map(entryOf)
      : []
    const found = [...suspicionsOf([...former.reverse(), ...fresh], after), ...(gap ? [gap] : [])]
    const users = await known(
      tx,
      found.map(({ userId }) => userId),
    )
    for (const { ipAddress, userId, ...suspicion } of found) {
      const sourceIp = ipAddress && networkFault(ipAddress) === null ? ipAddress : null
      const seen = { ...suspicion, sourceIp, userId: userId && users.has(userId) ? userId : null }
      await raiseAlert(tx, tenantId, seen, context.clock.now())
    }
    const last = Math.max(after, positions.at(-1) ?? 0, fresh.length < mostEntries ? end : 0)
    await tx.run(prepared(moveWatch, [tenantId, last]))
  },
}
