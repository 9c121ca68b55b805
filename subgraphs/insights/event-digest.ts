import { createHash } from 'node:crypto'
import type { ReportedEvent } from './rules/event'

/** A digest of what an event says: equal for what a source sends twice, whatever the order of the properties. */
export function fingerprint({ occurredAt, ...event }: ReportedEvent, isTimed: boolean): string {
  const said = { ...event, occurredAt: isTimed ? new Date(occurredAt).toISOString() : null }
  return createHash('sha256')
    .update(JSON.stringify(sorted(said)))
    .digest('hex')
}

/** A value whose members are in the order of their names; null is as good as nothing. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value ?? null
  const members = Object.entries(value).filter(([, member]) => member !== undefined && member !== null)
  return members.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, sorted(member)])
}
