/** A row as the graph shows it. */
export type ShownRow = Readonly<Record<string, unknown>>
/** A filter as it is sent. */
export type SentFilter = Readonly<Record<string, unknown>>

/** How the values of a field compare. */
export type ValueKind = 'language' | 'bytes' | 'number' | 'money' | 'boolean'

/** Node's rules of the English language, which are those of the Unicode root collation. */
const collator = new Intl.Collator('en', { sensitivity: 'variant', caseFirst: 'false' })

const compareTexts = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

/** Numbers and amounts of any size, written as decimals. */
function compareDecimals(one: unknown, other: unknown): number {
  const [a, b] = [scaled(String(one)), scaled(String(other))]
  return a < b ? -1 : a > b ? 1 : 0
}

function scaled(decimal: string): bigint {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d{1,18}))?$/.exec(decimal) ?? []
  if (whole === undefined) return BigInt(Math.round(Number(decimal) * 1e18))
  return BigInt(`${sign}${whole}${fraction.padEnd(18, '0')}`)
}

function compare(kind: ValueKind, one: unknown, other: unknown): number {
  switch (kind) {
    case 'language':
      // What is equal to people is told apart by bytes, as PostgreSQL does.
      return collator.compare(String(one), String(other)) || compareTexts(String(one), String(other))
    case 'number':
      return compareDecimals(one, other)
    case 'money':
      // By the smallest unit, whichever the currency.
      return compareDecimals(minor(one), minor(other))
    default:
      return compareTexts(String(one), String(other))
  }
}

const minor = (money: unknown): string => (money as { amount: string }).amount.replace('.', '')

/** One value of an order: where a row has it, how it compares. */
export interface ExpectedKey {
  field: string
  kind: ValueKind
  direction: 'ASC' | 'DESC'
}

/** The rows as a list by these values must have them: those without a value last, ties by id as the last value goes. */
export function inOrder<R extends ShownRow>(rows: readonly R[], keys: readonly ExpectedKey[]): R[] {
  const byId = keys.at(-1)!.direction
  return [...rows].sort((one, other) => {
    for (const { field, kind, direction } of keys) {
      const [a, b] = [one[field], other[field]]
      if (a === null && b === null) continue
      if (a === null || b === null) return a === null ? 1 : -1
      const compared = compare(kind, a, b)
      if (compared !== 0) return direction === 'ASC' ? compared : -compared
    }
    const ids = compareTexts(String(one['id']), String(other['id']))
    return byId === 'ASC' ? ids : -ids
  })
}

/** Without case and accents, by another way than the product's. */
export const plain = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/ø/g, 'o')
    .replace(/ł/g, 'l')
    .replace(/ß/g, 'ss')
    .replace(/æ/g, 'ae')

/** What a fold over a list needs to know of it. */
export interface FilteredList {
  /** Filter field → field of the row, where they are not the same, such as `departmentId` → a function. */
  valueOf(row: ShownRow, filterField: string): unknown
  kindOf(filterField: string): ValueKind
  /** What `search` looks into. */
  searched: readonly string[]
}

/** Whether a row passes a filter, by the rules of docs/queries.md. */
export function admits(list: FilteredList, row: ShownRow, filter: SentFilter): boolean {
  return Object.entries(filter).every(([name, condition]) => {
    if (name === 'and') return (condition as SentFilter[]).every((one) => admits(list, row, one))
    if (name === 'or') return (condition as SentFilter[]).some((one) => admits(list, row, one))
    if (name === 'not') return !admits(list, row, condition as SentFilter)
    if (name === 'search')
      return list.searched.some((field) => {
        const text = list.valueOf(row, field)
        return text !== null && plain(String(text)).includes(plain(String(condition)))
      })
    const value = list.valueOf(row, name)
    return Object.entries(condition as SentFilter).every(([operator, operand]) =>
      holds(list.kindOf(name), operator, value, operand),
    )
  })
}

function holds(kind: ValueKind, operator: string, value: unknown, operand: unknown): boolean {
  if (operator === 'isNull') return (value === null) === operand
  const comparable = (one: unknown) => compareKind(kind, value, one)
  if (operator === 'notIn')
    return value === null || !(operand as unknown[]).some((one) => comparable(one) === 0)
  if (value === null) return false
  switch (operator) {
    case 'eq':
      return comparable(operand) === 0
    case 'in':
      return (operand as unknown[]).some((one) => comparable(one) === 0)
    case 'lt':
      return comparable(operand) < 0
    case 'lte':
      return comparable(operand) <= 0
    case 'gt':
      return comparable(operand) > 0
    case 'gte':
      return comparable(operand) >= 0
    case 'contains':
      return plain(String(value)).includes(plain(String(operand)))
    case 'startsWith':
      return plain(String(value)).startsWith(plain(String(operand)))
    case 'currency':
      return (value as { currency: string }).currency === operand
    default:
      throw new Error(`the fold does not know ${operator}`)
  }
}

function compareKind(kind: ValueKind, value: unknown, operand: unknown): number {
  if (kind === 'money') return compareDecimals((value as { amount: string }).amount, operand)
  return compare(kind === 'language' ? 'bytes' : kind, value, operand)
}
