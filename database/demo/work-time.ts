import type { DemoSlug } from './ids'
import { seededId } from './random'
import { day, dayOf, instant, type DemoTable } from './table'

/** Where each tenant works. */
const places = {
  acme: { name: 'Berlin', country: '276', region: 'BE', zone: 'Europe/Berlin' },
  globex: { name: '東京', country: '392', region: null, zone: 'Asia/Tokyo' },
} as const satisfies Readonly<Record<DemoSlug, object>>

/** The id of a country of ISO 3166-1 by its number, as the migration gives it. */
const countryId = (number: string): string => `019b76da-a800-7000-8001-000000000${number}`

/** A fixed id, so that the rows of other tables can name the calendar. */
const calendarId = (slug: DemoSlug, place: number): string =>
  `019b76da-a800-7000-8000-0000000001${slug === 'acme' ? 'c' : 'd'}${place}`

const workCalendars: DemoTable = {
  name: 'hr.work_calendars',
  noun: 'work calendars',
  rows: ({ slug, today }) => {
    const { name, country, region, zone } = places[slug]
    const common = {
      country_id: countryId(country),
      region,
      time_zone: zone,
      created_at: instant(today - 900 * day),
    }
    return [
      { id: calendarId(slug, 0), name, friday_minutes: 480, is_default: true, ...common },
      // Four days a week.
      { id: calendarId(slug, 1), name: `${name} 80 %`, friday_minutes: 0, is_default: false, ...common },
    ]
  },
}

/** Month and day, what it is called, and which part of it is free. */
const feasts: Readonly<Record<DemoSlug, readonly (readonly [string, string, string])[]>> = {
  acme: [
    ['01-01', "New Year's Day", 'FULL'],
    ['05-01', 'Labour Day', 'FULL'],
    ['10-03', 'German Unity Day', 'FULL'],
    ['12-24', 'Christmas Eve', 'AFTERNOON'],
    ['12-25', 'Christmas Day', 'FULL'],
    ['12-26', 'Boxing Day', 'FULL'],
    ['12-31', "New Year's Eve", 'AFTERNOON'],
  ],
  globex: [
    ['01-01', '元日', 'FULL'],
    ['02-11', '建国記念の日', 'FULL'],
    ['04-29', '昭和の日', 'FULL'],
    ['05-03', '憲法記念日', 'FULL'],
    ['11-03', '文化の日', 'FULL'],
    ['11-23', '勤労感謝の日', 'FULL'],
  ],
}

const holidays: DemoTable = {
  name: 'hr.holidays',
  noun: 'holidays',
  // Of the last year, this one and the next.
  rows: ({ slug, random, today }) => {
    const year = Number(dayOf(today).slice(0, 4))
    return [year - 1, year, year + 1].flatMap((of) =>
      feasts[slug].map(([date, name, half]) => ({
        id: seededId(random, today - 400 * day),
        name,
        day: `${of}-${date}`,
        half,
        country_id: half === 'FULL' ? countryId(places[slug].country) : null,
        created_at: instant(today - 400 * day),
      })),
    )
  },
}

/** What the working time of the demo tenants is made of, behind their employees. */
export const workTimeTables: readonly DemoTable[] = [workCalendars, holidays]
