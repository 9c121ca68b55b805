type Status = 'NEW' | 'OPEN' | 'WAITING' | 'RESOLVED' | 'CLOSED'
type Moves = Partial<Record<Status, Status>>

/** The one table of what may be done to a ticket in a status, and in which status it then is. What is not here is refused. */
export const ticketMoves = {
  assign: { NEW: 'OPEN', OPEN: 'OPEN', WAITING: 'WAITING' },
  prioritize: { NEW: 'NEW', OPEN: 'OPEN', WAITING: 'WAITING' },
  escalate: { NEW: 'OPEN', OPEN: 'OPEN', WAITING: 'OPEN' },
  answer: { NEW: 'OPEN', OPEN: 'OPEN', WAITING: 'WAITING', RESOLVED: 'RESOLVED' },
  hear: { NEW: 'NEW', OPEN: 'OPEN', WAITING: 'OPEN', RESOLVED: 'OPEN' },
  note: { NEW: 'NEW', OPEN: 'OPEN', WAITING: 'WAITING', RESOLVED: 'RESOLVED' },
  pause: { NEW: 'WAITING', OPEN: 'WAITING' },
  resolve: { NEW: 'RESOLVED', OPEN: 'RESOLVED', WAITING: 'RESOLVED' },
  reopen: { WAITING: 'OPEN', RESOLVED: 'OPEN' },
  close: { RESOLVED: 'CLOSED' },
  merge: { NEW: 'CLOSED', OPEN: 'CLOSED', WAITING: 'CLOSED', RESOLVED: 'CLOSED' },
} as const satisfies Record<string, Moves>

export type TicketMove = keyof typeof ticketMoves

/** The status after a move; null when it is not allowed. */
export function statusAfter(move: TicketMove, status: Status): Status | null {
  return (ticketMoves[move] as Moves)[status] ?? null
}

/** The time after its resolution in which a ticket may be reopened, in milliseconds: 14 days. */
export const reopenMs = 14 * 86_400_000

/** Tells whether a ticket was resolved too long ago to be reopened. */
export function needsFollowUp(resolvedAt: string | null, now: Date): boolean {
  return resolvedAt !== null && now.getTime() - Date.parse(resolvedAt) > reopenMs
}

const priorities = ['LOW', 'NORMAL', 'HIGH', 'URGENT'] as const
type Priority = (typeof priorities)[number]

/** The next higher priority; null of the highest. */
export function raised(priority: Priority): Priority | null {
  return priorities[priorities.indexOf(priority) + 1] ?? null
}
