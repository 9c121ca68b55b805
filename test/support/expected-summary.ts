import type { ShownRow } from './expected-list'

/** A dimension or measure as the composed schema has it. */
export interface SummaryField {
  /** Field of the row and of key or group. */
  name: string
  /** Of a dimension its value in the enum, such as `HIRE_DATE`. */
  value: string
  kind: 'value' | 'reference' | 'time' | 'money' | 'number'
}

export type ShownSpan = { firstDay: string | null } | null
type Per = 'MONTH' | 'QUARTER' | 'YEAR'

/** What a group must be, worked out another way: every row of the list, added up one by one. */
export interface ExpectedGroup {
  count: number
  measures: Readonly<Record<string, unknown>>
}

/** More than a double of the rows has. */
const scale = 30

function scaled(decimal: string): bigint {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(decimal) ?? []
  if (whole === undefined) throw new Error(`the fold cannot read ${decimal}`)
  return BigInt(`${sign}${whole}${fraction.padEnd(scale, '0')}`)
}

function shown(units: bigint, decimals: number): string {
  const size = (units < 0n ? -units : units).toString().padStart(scale + 1, '0')
  const fraction = size.slice(-scale).slice(0, decimals)
  const sign = units < 0n ? '-' : ''
  return `${sign}${size.slice(0, -scale)}${decimals > 0 ? `.${fraction}` : ''}`
}

/** Rounded to so many decimals, halves to the even neighbour. */
function mean(sum: bigint, count: number, decimals: number): bigint {
  const step = 10n ** BigInt(scale - decimals) * BigInt(count)
  const size = sum < 0n ? -sum : sum
  const [whole, rest] = [size / step, size % step]
  const isUp = rest * 2n > step || (rest * 2n === step && whole % 2n === 1n)
  return (isUp ? whole + 1n : whole) * 10n ** BigInt(scale - decimals) * (sum < 0n ? -1n : 1n)
}

const smallest = (values: readonly bigint[]) => values.reduce((one, other) => (other < one ? other : one))
const largest = (values: readonly bigint[]) => values.reduce((one, other) => (other > one ? other : one))
const total = (values: readonly bigint[]) => values.reduce((one, other) => one + other, 0n)
const plainDecimal = (text: string) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)

function foldOf({ name, kind }: SummaryField, rows: readonly ShownRow[]): unknown {
  const present = rows.map((row) => row[name]).filter((value) => value !== null && value !== undefined)
  if (kind === 'number') {
    const values = present.map((value) => scaled(String(value)))
    if (values.length === 0) return null
    const number = (units: bigint) => plainDecimal(shown(mean(units, 1, 18), 18))
    return {
      count: values.length,
      sum: number(total(values)),
      average: number(mean(total(values), values.length, 12)),
      smallest: number(smallest(values)),
      largest: number(largest(values)),
    }
  }
  const amounts = present as { amount: string; currency: string }[]
  const currencies = [...new Set(amounts.map(({ currency }) => currency))].sort()
  return currencies.map((currency) => {
    const own = amounts.filter((one) => one.currency === currency).map(({ amount }) => amount)
    const decimals = own[0]!.split('.')[1]?.length ?? 0
    const values = own.map(scaled)
    const money = (units: bigint) => ({ amount: shown(units, decimals), currency })
    return {
      currency,
      count: values.length,
      sum: money(total(values)),
      average: money(mean(total(values), values.length, decimals)),
      smallest: money(smallest(values)),
      largest: money(largest(values)),
    }
  })
}

/** The first day of the span that a time is in, by the calendar of a zone. */
export function firstDayOf(value: string, per: Per, zone: string): string {
  const day =
    value.length === 10
      ? value
      : new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' }).format(new Date(value))
  const [year, month] = [day.slice(0, 4), Number(day.slice(5, 7))]
  const first = per === 'YEAR' ? 1 : per === 'QUARTER' ? month - ((month - 1) % 3) : month
  return `${year}-${String(first).padStart(2, '0')}-01`
}

/** Groups of rows by the text of their keys. */
export function expectedGroups(
  rows: readonly ShownRow[],
  groupBy: readonly SummaryField[],
  measures: readonly SummaryField[],
  per: Per,
  zone: string,
): Map<string, ExpectedGroup> {
  const groups = new Map<string, ShownRow[]>()
  for (const row of rows) {
    const key = groupBy.map(({ name, kind }) => {
      const value = row[name] ?? null
      return kind === 'time' && value !== null ? firstDayOf(String(value), per, zone) : value
    })
    const name = JSON.stringify(key)
    groups.set(name, [...(groups.get(name) ?? []), row])
  }
  return new Map([...groups].map(([key, members]) => [key, expectedGroup(members, measures)]))
}

export function expectedGroup(rows: readonly ShownRow[], measures: readonly SummaryField[]): ExpectedGroup {
  return {
    count: rows.length,
    measures: Object.fromEntries(measures.map((measure) => [measure.name, foldOf(measure, rows)])),
  }
}
