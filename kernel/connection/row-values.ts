import pg from 'pg'
import { withExactNumbers } from '../schema/exact-json'

const iso8601 = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$/
const day = /^\d{4}-\d\d-\d\d$/

const milliseconds = (fraction: string | undefined) => (fraction ?? '').padEnd(3, '0').slice(0, 3)

function outside(text: string): Error {
  return new Error(
    `"${text}" is no instant or day of the years 0001 to 9999: correct the row, or add a CHECK to its column`,
  )
}

/**
 * A `timestamptz` as PostgreSQL prints it ("2026-11-20 23:18:01.12+00") in ISO 8601 with milliseconds and Z; finer
 * fractions are cut off. By string work when the session is in UTC, as ours are; other offsets are converted.
 * Throws for infinity, years BC and years after 9999: none of them can be told in ISO 8601's four digits.
 */
export function instant(text: string): string {
  if (text[4] === '-' && text[10] === ' ' && text.endsWith('+00')) {
    const date = text.slice(0, 10)
    if (text.length === 22) return `${date}T${text.slice(11, 19)}.000Z`
    if (text.charCodeAt(19) === 46)
      return `${date}T${text.slice(11, 19)}.${milliseconds(text.slice(20, -3))}Z`
  }
  const [, date, time, fraction, sign, hours, minutes, seconds] = iso8601.exec(text) ?? []
  if (!date) throw outside(text)
  const offset = (Number(hours) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0)) * 1000
  const local = Date.parse(`${date}T${time}.${milliseconds(fraction)}Z`)
  const iso = new Date(sign === '-' ? local + offset : local - offset).toISOString()
  if (iso.length !== 24) throw outside(text)
  return iso
}

/** A `date` as it stands in the database: no time zone ever touches it. Throws for infinity, years BC and after 9999. */
export function date(text: string): string {
  if (!day.test(text)) throw outside(text)
  return text
}

const parserOf = pg.types.getTypeParser as (oid: number) => (text: string) => unknown
const same = (text: string) => text
const textArray = parserOf(1009) as (text: string) => (string | null)[]
const arrayOf = (one: (text: string) => string) => (text: string) =>
  textArray(text).map((value) => (value === null ? null : one(value)))

/** Stored JSON. What JavaScript would round, which only SQL can have written, comes out as a text of its digits. */
const json = (text: string): unknown => JSON.parse(withExactNumbers(text))

const { INT8, NUMERIC, TIMESTAMPTZ, TIMESTAMP, DATE, INTERVAL, JSON: JSON_TEXT, JSONB } = pg.types.builtins
const parsers = new Map<number, (text: string) => unknown>([
  [INT8, same],
  [NUMERIC, same],
  [TIMESTAMPTZ, instant],
  [TIMESTAMP, same],
  [DATE, date],
  [INTERVAL, same],
  [JSON_TEXT, json],
  [JSONB, json],
  [1231, arrayOf(same)], // numeric[]
  [1185, arrayOf(instant)], // timestamptz[]
  [1115, arrayOf(same)], // timestamp[]
  [1182, arrayOf(date)], // date[]
])

/**
 * Says how values come out of the database: uuid and text string · int and double number · boolean · bigint and numeric
 * string of digits · timestamptz ISO 8601 · date "YYYY-MM-DD" · json parsed, with numbers beyond double precision as
 * texts · arrays of these. No precision is lost and no Date object is made.
 */
export const rowTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    (format !== 'binary' && parsers.get(oid)) || parserOf(oid)) as pg.CustomTypesConfig['getTypeParser'],
}
