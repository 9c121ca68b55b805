/** Describes what of a period decides what may be done with it. */
export interface PeriodState {
  year: number
  /** 1 to 12 */
  month: number
  status: 'OPEN' | 'SOFT_CLOSED' | 'CLOSED'
  softClosedById: string | null
  reopenRequestedById: string | null
}

/** The steps of a period. */
export type PeriodAction = 'SOFT_CLOSE' | 'CLOSE' | 'ASK_TO_REOPEN' | 'REOPEN'

/** The day after the last one of a month, YYYY-MM-DD. */
export function dayAfter({ year, month }: Pick<PeriodState, 'year' | 'month'>): string {
  return new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 10)
}

/** The first day of a month, YYYY-MM-DD. */
export function firstDayOf({ year, month }: Pick<PeriodState, 'year' | 'month'>): string {
  return new Date(Date.UTC(year, month - 1, 1)).toISOString().slice(0, 10)
}

/** A period in words: 2026-03. */
export const nameOf = (period: Pick<PeriodState, 'year' | 'month'>): string => firstDayOf(period).slice(0, 7)

export interface PeriodFault {
  code: 'INVALID_STATUS' | 'SECOND_PERSON_NEEDED'
  message: string
}

/**
 * Why somebody may not do something with a period, or null. It takes two persons to close a period, and two to reopen a
 * closed one (segregation of duties, COSO Internal Control 2013, principle 10); what is softly closed one may reopen.
 * @param today YYYY-MM-DD
 */
export function periodFault(
  period: PeriodState,
  action: PeriodAction,
  userId: string,
  today: string,
): PeriodFault | null {
  const { status } = period
  const wrong = (message: string): PeriodFault => ({ code: 'INVALID_STATUS', message })
  const other = (message: string): PeriodFault => ({ code: 'SECOND_PERSON_NEEDED', message })
  switch (action) {
    case 'SOFT_CLOSE':
      if (status !== 'OPEN') return wrong(`This period is ${status}: only open ones are closed softly`)
      return today < dayAfter(period) ? wrong(`${nameOf(period)} has not ended yet`) : null
    case 'CLOSE':
      if (status !== 'SOFT_CLOSED') return wrong(`This period is ${status}: close it softly first`)
      return period.softClosedById === userId
        ? other('You closed it softly: somebody else must close it')
        : null
    case 'ASK_TO_REOPEN':
      return status === 'CLOSED' ? null : wrong(`This period is ${status}: it takes no asking`)
    case 'REOPEN':
      if (status === 'OPEN') return wrong('This period is open')
      if (status === 'SOFT_CLOSED') return null
      if (period.reopenRequestedById === null)
        return other('Somebody else must ask for it first, and say why')
      return period.reopenRequestedById === userId
        ? other('You asked for it: somebody else must reopen it')
        : null
  }
}

/** The user who took the first of two steps, of whom another person must take the second; null where one step is enough. */
export function firstOf(period: PeriodState, action: PeriodAction): string | null {
  if (action === 'CLOSE') return period.softClosedById
  return action === 'REOPEN' && period.status === 'CLOSED' ? period.reopenRequestedById : null
}
