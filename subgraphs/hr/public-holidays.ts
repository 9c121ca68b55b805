import type { DayHalf } from './rules/half-days'
import { dayNumber, dayOfNumber } from './rules/half-days'

/** A holiday as the law of a place has it. */
export interface PublicHoliday {
  /** ISO 8601 day. */
  day: string
  /** In English, or in the language of the place where there is no English name. */
  name: string
  half: DayHalf
}

const dayMs = 86_400_000
const longestName = 100

/**
 * The public holidays of a country in a year, by day; null for a country, or a part of it, of which none are known. Feasts
 * of several days are several holidays, two on one day are one. What begins at noon or later is an afternoon.
 * Source: date-holidays (CC-BY-3.0 data, see NOTICE); its dates are those of the place.
 * @param country ISO 3166-1 alpha-2
 * @param region ISO 3166-2 behind the hyphen; null for the whole country
 */
export async function publicHolidays(
  country: string,
  region: string | null,
  year: number,
): Promise<PublicHoliday[] | null> {
  // Loaded when it is first asked for: its data takes memory that most processes never need.
  const { default: Holidays } = await import('date-holidays')
  const known = new Holidays()
  if (!Object.hasOwn(known.getCountries(), country)) return null
  if (region !== null && !Object.hasOwn(known.getStates(country) ?? {}, region)) return null
  const source = region === null ? new Holidays(country) : new Holidays(country, region)
  const byDay = new Map<string, PublicHoliday>()
  for (const { date, start, end, name, type } of source.getHolidays(year, 'en')) {
    if (type !== 'public') continue
    const first = dayNumber(date.slice(0, 10))
    const half: DayHalf = Number(date.slice(11, 13)) >= 12 ? 'AFTERNOON' : 'FULL'
    // Rounded: a day on which clocks change has 23 or 25 hours.
    const days = Math.max(1, Math.round((end.getTime() - start.getTime()) / dayMs))
    for (let place = 0; place < days; place++) {
      const day = dayOfNumber(first + place)
      if (!day.startsWith(String(year))) continue
      const other = byDay.get(day)
      byDay.set(day, other ? together(other, { day, name, half }) : { day, name, half })
    }
  }
  return [...byDay.values()]
    .map((one) => ({ ...one, name: one.name.slice(0, longestName) }))
    .sort((one, other) => (one.day < other.day ? -1 : 1))
}

/** Two holidays of one day as one. */
function together(one: PublicHoliday, other: PublicHoliday): PublicHoliday {
  const name = one.name === other.name ? one.name : `${one.name} / ${other.name}`
  return { day: one.day, name, half: one.half === other.half ? one.half : 'FULL' }
}
