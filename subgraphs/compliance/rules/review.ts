export type Status = 'PENDING' | 'APPROVED' | 'REJECTED' | 'FLAGGED'
export type Action = 'EDIT' | 'APPROVE' | 'REJECT' | 'FLAG'

/**
 * Holds what each action makes of each status; where nothing stands, the action is refused. An edit sends the record
 * back to review, because what was decided was decided about the content of before. A rejection is final.
 */
export const transitions: Readonly<Record<Action, Readonly<Partial<Record<Status, Status>>>>> = {
  EDIT: { PENDING: 'PENDING', FLAGGED: 'PENDING' },
  APPROVE: { PENDING: 'APPROVED', FLAGGED: 'APPROVED' },
  REJECT: { PENDING: 'REJECTED', FLAGGED: 'REJECTED' },
  FLAG: { PENDING: 'FLAGGED', APPROVED: 'FLAGGED' },
}

const refusals: Readonly<Record<Action, string>> = {
  EDIT: 'be changed',
  APPROVE: 'be approved',
  REJECT: 'be rejected',
  FLAG: 'be flagged',
}

/** Describes what of a record its review looks at. */
export interface Reviewed {
  status: Status
  createdById: string
  /** Everybody who changed the content since. */
  editorIds: readonly string[]
}

export type Outcome = { status: Status } | { fault: { code: 'WRONG_STATUS' | 'OWN_RECORD'; message: string } }

/**
 * Returns what the action of this user makes of the record, or why it may not be. Four eyes: neither who created the
 * record nor who ever changed its content decides about it.
 */
export function act(record: Reviewed, userId: string, action: Action): Outcome {
  const status = transitions[action][record.status]
  if (!status) {
    const message = `A record that is ${record.status} cannot ${refusals[action]}`
    return { fault: { code: 'WRONG_STATUS', message } }
  }
  if (action !== 'EDIT' && [record.createdById, ...record.editorIds].includes(userId)) {
    const message = 'Somebody else must decide: you created this record or changed it'
    return { fault: { code: 'OWN_RECORD', message } }
  }
  return { status }
}
