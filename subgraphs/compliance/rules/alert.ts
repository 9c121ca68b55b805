export type AlertStatus = 'OPEN' | 'ACKNOWLEDGED' | 'INVESTIGATING' | 'RESOLVED'
export type AlertAction = 'ACKNOWLEDGE' | 'ASSIGN' | 'INVESTIGATE' | 'RESOLVE' | 'REOPEN'

/** Holds what each action makes of each status of an alert; where nothing stands, the action is refused. */
export const alertTransitions: Readonly<
  Record<AlertAction, Readonly<Partial<Record<AlertStatus, AlertStatus>>>>
> = {
  ACKNOWLEDGE: { OPEN: 'ACKNOWLEDGED' },
  ASSIGN: { OPEN: 'OPEN', ACKNOWLEDGED: 'ACKNOWLEDGED', INVESTIGATING: 'INVESTIGATING' },
  INVESTIGATE: { OPEN: 'INVESTIGATING', ACKNOWLEDGED: 'INVESTIGATING' },
  RESOLVE: { ACKNOWLEDGED: 'RESOLVED', INVESTIGATING: 'RESOLVED' },
  REOPEN: { RESOLVED: 'OPEN' },
}

/** Describes what of an alert its handling looks at. */
export interface HandledAlert {
  status: AlertStatus
  userId: string | null
  reopenedAt: string | null
}

export type AlertOutcome =
  { status: AlertStatus } | { fault: { code: 'WRONG_STATUS' | 'OWN_RECORD'; message: string } }

/**
 * Returns what the action of this user makes of the alert, or why it may not be: whom an alert is about does not work on it, and
 * it is opened again once.
 */
export function actOnAlert(alert: HandledAlert, viewerId: string, action: AlertAction): AlertOutcome {
  const status = alertTransitions[action][alert.status]
  if (!status || (action === 'REOPEN' && alert.reopenedAt !== null)) {
    const again = action === 'REOPEN' && status ? ' and was opened again before' : ''
    const message = `An alert that is ${alert.status}${again} cannot have this done`
    return { fault: { code: 'WRONG_STATUS', message } }
  }
  if (alert.userId === viewerId)
    return { fault: { code: 'OWN_RECORD', message: 'Somebody else must decide: the alert is about you' } }
  return { status }
}

/** Milliseconds since the last time within which the same is counted, not told again. */
export const groupMs = 3_600_000
/** The most days for which alerts are silenced. */
export const mostSuppressedDays = 30
