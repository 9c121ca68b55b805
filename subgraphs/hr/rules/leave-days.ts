import { hasAfternoon, hasMorning, type DayHalf } from './half-days'
import { decimalOf } from './hundredths'
import type { PlannedDay } from './working-days'

/** When somebody wants to be away. */
export interface LeaveSpan {
  startDate: string
  /** FULL or AFTERNOON; of a single day the part that is free. */
  startHalf: DayHalf
  endDate: string
  /** FULL or MORNING; of a single day as `startHalf`. */
  endHalf: DayHalf
}

/** Days that leave takes of one calendar year. */
export interface LeavePart {
  /** The first day of it in this year. */
  from: string
  /** A decimal number. */
  days: string
}

/** Why a span makes no sense, or null. */
export function spanFault({ startDate, startHalf, endDate, endHalf }: LeaveSpan): string | null {
  if (endDate < startDate) return 'endDate must not be before startDate'
  if (startDate === endDate)
    return startHalf === endHalf ? null : 'startHalf and endHalf must be the same for a single day'
  if (startHalf === 'MORNING')
    return 'startHalf must be FULL or AFTERNOON: leave of several days goes on after it'
  if (endHalf === 'AFTERNOON')
    return 'endHalf must be FULL or MORNING: leave of several days has begun before it'
  return null
}

/**
 * Days that leave takes: half a day for each half of a day that the employee would work, and that no holiday leaves free. One part
 * for each calendar year, since entitlements are of a year (BUrlG § 1); none for a year in which nothing would be worked.
 * @param days the days of the span, in order
 */
export function leaveParts(span: LeaveSpan, days: readonly PlannedDay[]): LeavePart[] {
  const halves = new Map<string, { from: string; count: number }>()
  for (const planned of days) {
    const count = planned.minutes > 0 ? halvesOf(span, planned) : 0
    const year = planned.day.slice(0, 4)
    const part = halves.get(year) ?? { from: planned.day, count: 0 }
    part.count += count
    halves.set(year, part)
  }
  return [...halves.values()]
    .filter(({ count }) => count > 0)
    .map(({ from, count }) => ({ from, days: decimalOf(count * 50) }))
}

function halvesOf({ startDate, startHalf, endDate, endHalf }: LeaveSpan, { day, free }: PlannedDay): number {
  const morning = (day > startDate || hasMorning(startHalf)) && !free.some(hasMorning)
  const afternoon = (day < endDate || hasAfternoon(endHalf)) && !free.some(hasAfternoon)
  return Number(morning) + Number(afternoon)
}
