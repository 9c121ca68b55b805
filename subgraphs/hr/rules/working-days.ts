import { dayNumber, dayOfNumber, weekdayOf, type DayHalf } from './half-days'

/** A calendar, and from which day on somebody works by it; null for the default of those to whom none is assigned. */
export interface CalendarFrom {
  id: string
  /** ISO 8601 day. */
  validFrom: string | null
  timeZone: string
  /** Minutes of work from Monday to Sunday. */
  minutes: readonly number[]
}

/** A holiday of one calendar, or of all. */
export interface HolidayOn {
  day: string
  half: DayHalf
  calendarId: string | null
}

/** One day of an employee: how long it is worked by the calendar, and which parts of it are free. */
export interface PlannedDay {
  day: string
  minutes: number
  /** The parts that holidays leave free. */
  free: readonly DayHalf[]
}

/** Monday to Friday, eight hours: what holds for a tenant without a calendar. */
export const usualWeek: CalendarFrom = {
  id: '',
  validFrom: null,
  timeZone: 'UTC',
  minutes: [480, 480, 480, 480, 480, 0, 0],
}

/** The calendar that holds on a day. */
export function calendarOn(calendars: readonly CalendarFrom[], day: string): CalendarFrom {
  let found: CalendarFrom | undefined
  for (const one of calendars) {
    // Days written in ISO 8601 have the same order as texts as in time.
    if (one.validFrom !== null && one.validFrom > day) continue
    if (!found || (one.validFrom ?? '') > (found.validFrom ?? '')) found = one
  }
  return found ?? usualWeek
}

/** The days from one to another, each by the calendar that holds on it. */
export function plannedDays(
  calendars: readonly CalendarFrom[],
  holidays: readonly HolidayOn[],
  from: string,
  to: string,
): PlannedDay[] {
  const days: PlannedDay[] = []
  for (let number = dayNumber(from); number <= dayNumber(to); number++) {
    const day = dayOfNumber(number)
    const { id, minutes } = calendarOn(calendars, day)
    const free = holidays
      .filter((one) => one.day === day && (one.calendarId === null || one.calendarId === id))
      .map(({ half }) => half)
    days.push({ day, minutes: minutes[weekdayOf(number)]!, free })
  }
  return days
}
