export const statuses = [
  'PENDING',
  'SCREENING',
  'POTENTIAL_MATCH',
  'APPROVED',
  'REJECTED',
  'FLAGGED',
  'EXPIRED',
] as const
export type Status = (typeof statuses)[number]

/** Decisions, which neither the record's maker nor who changed it takes. */
export type Decision = 'APPROVE' | 'REJECT' | 'FLAG' | 'ESCALATE' | 'CLEAR_MATCH' | 'CONFIRM_MATCH'
/** Decisions, steps of the maker, and (from FIND_NOBODY on) of the product itself. */
export type Action = Decision | 'EDIT' | 'SCREEN' | 'FIND_NOBODY' | 'FIND_SOMEBODY' | 'EXPIRE'

/**
 * Holds what each action makes of each status; where nothing stands, the action is refused. An edit sends the record
 * back to review, because what was decided was decided about the content of before. A rejection is final. A screening
 * that comes to no end leads nowhere: SCREENING is left by a result alone, or by an edit.
 */
export const transitions: Readonly<Record<Action, Readonly<Partial<Record<Status, Status>>>>> = {
  EDIT: {
    PENDING: 'PENDING',
    SCREENING: 'PENDING',
    POTENTIAL_MATCH: 'PENDING',
    APPROVED: 'PENDING',
    FLAGGED: 'PENDING',
    EXPIRED: 'PENDING',
  },
  SCREEN: {
    PENDING: 'SCREENING',
    POTENTIAL_MATCH: 'SCREENING',
    APPROVED: 'SCREENING',
    EXPIRED: 'SCREENING',
  },
  FIND_NOBODY: { SCREENING: 'PENDING', APPROVED: 'APPROVED' },
  FIND_SOMEBODY: { SCREENING: 'POTENTIAL_MATCH', APPROVED: 'POTENTIAL_MATCH' },
  CLEAR_MATCH: { POTENTIAL_MATCH: 'PENDING', FLAGGED: 'FLAGGED' },
  CONFIRM_MATCH: { POTENTIAL_MATCH: 'FLAGGED', FLAGGED: 'FLAGGED' },
  APPROVE: { PENDING: 'APPROVED', FLAGGED: 'APPROVED' },
  REJECT: { PENDING: 'REJECTED', POTENTIAL_MATCH: 'REJECTED', FLAGGED: 'REJECTED', EXPIRED: 'REJECTED' },
  FLAG: { PENDING: 'FLAGGED', APPROVED: 'FLAGGED' },
  ESCALATE: { PENDING: 'FLAGGED', POTENTIAL_MATCH: 'POTENTIAL_MATCH', FLAGGED: 'FLAGGED' },
  EXPIRE: { APPROVED: 'EXPIRED' },
}

const refusals: Readonly<Record<Action, string>> = {
  EDIT: 'be changed',
  SCREEN: 'be screened',
  FIND_NOBODY: 'be cleared by a screening',
  FIND_SOMEBODY: 'get a match',
  CLEAR_MATCH: 'have its matches decided',
  CONFIRM_MATCH: 'have its matches decided',
  APPROVE: 'be approved',
  REJECT: 'be rejected',
  FLAG: 'be flagged',
  ESCALATE: 'be escalated',
  EXPIRE: 'expire',
}

const decisions: ReadonlySet<Action> = new Set([
  'APPROVE',
  'REJECT',
  'FLAG',
  'ESCALATE',
  'CLEAR_MATCH',
  'CONFIRM_MATCH',
])

/** Describes what of a record its review looks at. */
export interface Reviewed {
  status: Status
  createdById: string
  /** Everybody who changed the content since. */
  editorIds: readonly string[]
  /** Everybody who flagged or escalated it as it stands. */
  raisedByIds: readonly string[]
  /** Null when nobody is named: then there is nothing to screen. */
  subjectName: string | null
  contentVersion: number
  screenedVersion: number | null
}

export interface Fault {
  code: 'WRONG_STATUS' | 'OWN_RECORD' | 'NOT_SCREENED'
  message: string
}
export type Outcome = { status: Status } | { fault: Fault }

const refuse = (code: Fault['code'], message: string): Outcome => ({ fault: { code, message } })

/** The users of whom another person must take an action: who prepared the record, and who raised it where it is approved. */
export function preparersOf(record: Reviewed, action: Action): readonly string[] {
  if (!decisions.has(action)) return []
  return [record.createdById, ...record.editorIds, ...(action === 'APPROVE' ? record.raisedByIds : [])]
}

/**
 * Returns what the action of this user makes of the record, or why it may not be. Four eyes: neither who created the
 * record nor who ever changed its content decides about it, and who flagged or escalated it does not approve it. A named
 * subject is approved only as it was screened.
 */
export function act(record: Reviewed, userId: string, action: Action): Outcome {
  const status = transitions[action][record.status]
  if (!status) return refuse('WRONG_STATUS', `A record that is ${record.status} cannot ${refusals[action]}`)
  if (decisions.has(action) && [record.createdById, ...record.editorIds].includes(userId))
    return refuse('OWN_RECORD', 'Somebody else must decide: you created this record or changed it')
  if (action !== 'APPROVE') return { status }
  if (record.raisedByIds.includes(userId))
    return refuse('OWN_RECORD', 'Somebody else must approve: you flagged this record or escalated it')
  if (record.subjectName !== null && record.screenedVersion !== record.contentVersion)
    return refuse(
      'NOT_SCREENED',
      'The person was not screened as the record stands: screen it, and decide its matches',
    )
  return { status }
}

/** Years for which an approval holds by risk, as FATF's risk-based approach has it: the riskier, the sooner it is reviewed. */
const yearsOfApproval = [
  { from: 70, years: 1 },
  { from: 40, years: 3 },
  { from: 0, years: 5 },
] as const

/**
 * The instant at which an approval ends when nobody says when: so many years later, on the last day of the month where the day
 * is missing. What was not rated counts as risky.
 */
export function endOfApproval(approvedAt: Date, riskScore: number | null): Date {
  const { years } = yearsOfApproval.find(({ from }) => (riskScore ?? 100) >= from)!
  const end = new Date(approvedAt)
  end.setUTCFullYear(end.getUTCFullYear() + years)
  // 29 February became 1 March.
  if (end.getUTCMonth() !== approvedAt.getUTCMonth()) end.setUTCDate(0)
  return end
}
