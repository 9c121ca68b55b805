/**
 * The day so many months later, by the calendar: where the month has no such day, its last one. Article 12(3) GDPR counts
 * months, and article 3(2)(c) of Regulation (EEC, Euratom) 1182/71 says how: 31 January → 28 or 29 February.
 * @param day YYYY-MM-DD
 */
export function monthsLater(day: string, months: number): string {
  const [year, month, date] = day.split('-').map(Number) as [number, number, number]
  const last = new Date(Date.UTC(year, month + months, 0)).getUTCDate()
  return new Date(Date.UTC(year, month - 1 + months, Math.min(date, last))).toISOString().slice(0, 10)
}

/**
 * The day itself, or the next working day where it is a Saturday, a Sunday or a public holiday: with it a period ends that would end on
 * such a day (article 3(4) of Regulation (EEC, Euratom) 1182/71). Holidays within the period make it no longer (article 3(3)).
 * @param holidays public ones of the place where the answer is given (article 2(1)), YYYY-MM-DD
 */
export function workingDay(day: string, holidays: ReadonlySet<string> = new Set()): string {
  for (let at = Date.parse(`${day}T00:00:00Z`); ; at += 86_400_000) {
    const date = new Date(at).toISOString().slice(0, 10)
    if (![0, 6].includes(new Date(at).getUTCDay()) && !holidays.has(date)) return date
  }
}

/** Months within which a request is answered, and by how many more it may be extended, once. */
export const answerMonths = 1
export const extensionMonths = 2

/** Days for which what was collected can be downloaded, and after which it is destroyed with the request's key. */
export const downloadDays = 7

/** Days after which what was collected is destroyed although nobody ended the request: it is collected anew. */
export const reviewDays = 30
