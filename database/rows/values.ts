import { createHash } from 'node:crypto'
import { sampleOfScalar } from '../../kernel/schema/scalar-samples'
import { seededId, seededRandom } from '../demo/random'
import type { Column, Table } from './catalogue'

/** Which row is made: every value follows from it. */
export interface RowSeed {
  /** Told apart in texts: the tenant's slug, as a rule. */
  seed: string
  /** The number of rows that the tenant has in this table. */
  place: number
  /** Holds what times are counted from. */
  now: Date
}

const day = 86_400_000

/**
 * Returns what a column may hold, as texts that PostgreSQL casts to its type, the likeliest first; null stands for
 * itself. What the checks of the column compare with is among them: PostgreSQL itself finds out what they admit.
 */
export function candidatesOf(table: Table, column: Column, row: RowSeed): (string | null)[] {
  const conditions = table.checks.filter(({ columns }) => columns.includes(column.name))
  const closed = conditions.find(({ condition }) => isClosedList(column.name, condition))
  const only = closed && new Set(literalsOf(closed.condition))
  const literals = conditions.flatMap(({ condition }) => literalsOf(condition))
  const isMatched = conditions.some(({ condition }) => condition.includes('~'))
  const made = [
    ...(column.type === 'jsonb' ? objectsOf(column.name, conditions) : []),
    ...(valuesOf(table, column, row, isMatched) ?? []),
  ]
  if (made.length === 0 && !column.nullable && column.default === null) return []
  const fitting = literals.filter((literal) => fits(column, literal))
  const values = [...new Set([...made, ...fitting])].filter((one) => !only || only.has(one))
  return column.nullable ? [...values, null] : values
}

/** Tells whether a condition is a list of all texts that a column may hold. */
const isClosedList = (column: string, condition: string): boolean =>
  new RegExp(`^\\(*${column} = ANY \\(ARRAY\\[('\\w+'::text(, )?)+\\]\\)\\)*$`).test(condition)

/** The texts and numbers in a condition. */
function literalsOf(condition: string): string[] {
  return [...condition.matchAll(/'((?:[^']|'')*)'|(?<![\w'])(\d+(?:\.\d+)?)(?![\w'])/g)].map(
    ([, text, number]) => (text ?? number!).replaceAll("''", "'"),
  )
}

const members: Readonly<Record<string, unknown>> = {
  string: 'made',
  number: 1,
  boolean: true,
  array: [],
  object: {},
}

/** An object with the members that checks ask for as `jsonb_typeof(column -> 'member') = 'string'`; none without such. */
function objectsOf(column: string, conditions: Table['checks']): string[] {
  const pattern = new RegExp(`jsonb_typeof\\(\\(${column} -> '(\\w+)'::text\\)\\) = '(\\w+)'`, 'g')
  const asked = conditions.flatMap(({ condition }) =>
    [...condition.matchAll(pattern)].map(([, member, type]) => [member!, members[type!]] as const),
  )
  return asked.length > 0 ? [JSON.stringify(Object.fromEntries(asked))] : []
}

const integers: Readonly<Record<string, number>> = { smallint: 2 ** 15, integer: 2 ** 31, bigint: 2 ** 53 }
const fractions = ['numeric', 'real', 'double precision']

function fits({ type, length }: Column, literal: string): boolean {
  if (type in integers) return /^-?\d+$/.test(literal) && Math.abs(Number(literal)) < integers[type]!
  if (fractions.includes(type)) return /^-?\d+(\.\d+)?$/.test(literal)
  if (type === 'date' || type.startsWith('timestamp')) return /^\d{4}-\d\d-\d\d/.test(literal)
  return isText(type) && !/^\d+$/.test(literal) && (length === null || literal.length <= length)
}

const isText = (type: string): boolean => type === 'text' || type === 'character varying'

/** Values of a type; null for a type of which none are known here. */
function valuesOf(table: Table, column: Column, row: RowSeed, isMatched: boolean): string[] | null {
  const { seed, place, now } = row
  const key = `${seed} ${table.name}.${column.name} ${place}`
  const { name, type, length } = column
  if (type.endsWith('[]')) {
    const inner = valuesOf(table, { ...column, type: type.slice(0, -2) }, row, isMatched)
    return inner && [`{${JSON.stringify(inner[0])}}`, '{}']
  }
  if (isText(type)) return textsOf(key, name, row, length, isMatched)
  if (type in integers) return [String(place + 2), '1', '0']
  if (fractions.includes(type)) return ['0.5', '1', '0']
  const instant = (later: number) => new Date(now.getTime() + place * 1_000 + later).toISOString()
  // In the past, as most days of records are; another one for each row.
  const today = (later: number) =>
    new Date(now.getTime() + (later - 60 - place) * day).toISOString().slice(0, 10)
  // Of the row's own instant: tables partitioned by time find a row by its id.
  const id = () => seededId(seededRandom(key), now.getTime() + place * 1_000)
  const makers: Readonly<Record<string, () => string[]>> = {
    uuid: () => [id()],
    boolean: () => ['true', 'false'],
    date: () => [today(0), today(1), today(40)],
    'timestamp with time zone': () => [instant(0), instant(day)],
    'timestamp without time zone': () => [instant(0), instant(day)],
    'time without time zone': () => ['09:00', '17:00'],
    interval: () => ['1 hour'],
    // The last is for lists whose items have a shape of their own.
    jsonb: () => [JSON.stringify({ made: key }), JSON.stringify([key]), '[]'],
    bytea: () => [`\\x${hash(key)}`],
    inet: () => ['192.0.2.1'],
    daterange: () => [`[${today(0)},${today(1)})`],
    tstzrange: () => [`[${instant(0)},${instant(day)})`],
  }
  return makers[type]?.() ?? null
}

const hash = (key: string): string => createHash('sha256').update(key).digest('hex')

/** A value as a column of this name is known to hold it. */
function labelOf(name: string, slug: string): string {
  // Encrypted columns hold a day as a text.
  if (name.endsWith('birth_date')) return '1980-02-29'
  if (name.endsWith('email')) return `${slug}@made.example`
  return name.endsWith('time_zone') ? String(sampleOfScalar('TimeZone')) : slug.replaceAll('-', ' ')
}

/** A text that tells where it comes from, in lower case as e-mail addresses are; then what patterns may want. */
function textsOf(
  key: string,
  name: string,
  { seed, place }: RowSeed,
  length: number | null,
  isMatched: boolean,
): string[] {
  const slug = `${name.replaceAll('_', '-')}-${place + 1}-of-${seed}`.toLowerCase()
  const label = labelOf(name, slug)
  const digest = hash(key)
  const codes = ['EUR', 'DE', 'DEU', digest.slice(0, 32), digest, slug, `https://made.example/${slug}`]
  const short = length === null || label.length <= length ? label : digest.slice(0, length)
  return [short, ...(isMatched ? codes.filter((code) => length === null || code.length <= length) : [])]
}
