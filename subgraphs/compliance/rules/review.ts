export type Status = 'PENDING' | 'APPROVED' | 'REJECTED' | 'FLAGGED'
export type Decision = Exclude<Status, 'PENDING'>

/** What a review may decide, by the status that the record has. A rejection is final. */
const transitions: Readonly<Record<Status, readonly Decision[]>> = {
  PENDING: ['APPROVED', 'REJECTED', 'FLAGGED'],
  FLAGGED: ['APPROVED', 'REJECTED'],
  APPROVED: ['FLAGGED'],
  REJECTED: [],
}

/** What of a record its review looks at. */
export interface Reviewed {
  status: Status
  createdById: string
  preparedById: string
}

export interface Fault {
  code: 'WRONG_STATUS' | 'OWN_RECORD'
  message: string
}

/** Whether the content of a record may still change. */
export function isOpen(status: Status): boolean {
  return status === 'PENDING' || status === 'FLAGGED'
}

/**
 * Why this user may not decide so about the record, or null. Four eyes: neither who created the record nor who gave it
 * its present content decides about it.
 */
export function reviewFault(record: Reviewed, reviewerId: string, decision: Decision): Fault | null {
  if (!transitions[record.status].includes(decision))
    return { code: 'WRONG_STATUS', message: `A record that is ${record.status} cannot become ${decision}` }
  if (record.createdById === reviewerId || record.preparedById === reviewerId)
    return { code: 'OWN_RECORD', message: 'Somebody else must decide: you created or prepared this record' }
  return null
}
