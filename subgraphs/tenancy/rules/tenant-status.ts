type Status = 'ACTIVE' | 'SUSPENDED' | 'CANCELLED'
export type StatusVerb = 'suspend' | 'reactivate' | 'scheduleDeletion' | 'undoDeletion'

/** From which status a verb of the operator leads, and to which. */
const steps: Readonly<Record<StatusVerb, { from: readonly Status[]; to: Status }>> = {
  suspend: { from: ['ACTIVE'], to: 'SUSPENDED' },
  reactivate: { from: ['SUSPENDED'], to: 'ACTIVE' },
  scheduleDeletion: { from: ['ACTIVE', 'SUSPENDED'], to: 'CANCELLED' },
  // Not to ACTIVE: whoever takes it back has not looked yet at why it was shut before.
  undoDeletion: { from: ['CANCELLED'], to: 'SUSPENDED' },
}

/** The status that a verb leads to; null when it does not from this one. */
export function statusAfter(verb: StatusVerb, status: Status): Status | null {
  const { from, to } = steps[verb]
  return from.includes(status) ? to : null
}

const dayMs = 86_400_000
const minuteMs = 60_000

/** When a tenant is deleted whose days of grace begin now; null for fewer than 7 days or more than 365. */
export function deletionTime(now: Date, graceDays: number): Date | null {
  return graceDays >= 7 && graceDays <= 365 ? new Date(now.getTime() + graceDays * dayMs) : null
}

/** When an entry ends that begins now; null for fewer than 5 minutes or more than 240. */
export function entryEnd(now: Date, minutes: number): Date | null {
  return minutes >= 5 && minutes <= 240 ? new Date(now.getTime() + minutes * minuteMs) : null
}
