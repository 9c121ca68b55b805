import type { SubgraphContext } from '../context'
import { badUserInput } from '../errors'
import { Parameters, prepared } from '../statement'
import { exactDecimal, type ExactDecimal } from './exact-decimal'
import { filterConditions } from './filter'
import { scopeConditions } from './scope'
import type { Dimension } from './summary-model'
import type { AskedMeasure, SummaryRequest } from './summary-request'

/** A summary reads so many rows at most. */
export const mostRows = 200_000
/** Says how many different keys, with their currencies, are counted at most. */
export const mostCells = 20_000
const timeoutMs = 2_000

/** The value of a dimension: of a time the number of its span, 0 for what is earlier than all. */
export type KeyValue = string | number | boolean | null

/** Amounts or numbers of a cell added up. */
export interface Amounts {
  /** Null of a number, or where there is no amount. */
  currency: string | null
  count: number
  sum: ExactDecimal | null
  smallest: ExactDecimal | null
  largest: ExactDecimal | null
}

/** Rows that have all that is grouped by in common, and the currencies of what is measured. */
export interface Cell {
  /** By the dimensions of {@link cellDimensions}. */
  keys: readonly KeyValue[]
  /** The filter admits the rows. */
  isAdmitted: boolean
  count: number
  /** By the measures of the request. */
  amounts: readonly Amounts[]
}

/** The dimensions that tell cells apart: all fixed dimensions where something is told of several rows together only. */
export function cellDimensions({ isProtected, summary, dimensions }: SummaryRequest): readonly Dimension[] {
  return isProtected ? summary.dimensions.filter(({ isFixed }) => isFixed) : dimensions
}

/**
 * Rows that a summary asks about, counted and added up by the database in one statement, under the conditions that every
 * read of the entity carries and 2 seconds.
 * @throws ApiError BAD_USER_INPUT when the keys are too many
 */
export async function summaryCells(context: SubgraphContext, request: SummaryRequest): Promise<Cell[]> {
  const { model, measures, filter, isProtected } = request
  const parameters = new Parameters()
  const conditions = scopeConditions(context, model, parameters)
  const dimensions = cellDimensions(request)
  const edges = request.edges.length > 0 ? edgesParameter(request, parameters) : ''
  const keys = dimensions.map(({ column, isTime }) =>
    isTime ? `width_bucket(t.${column.sql}, ${edges})` : `t.${column.sql}`,
  )
  const filtered = filterConditions(model, filter, parameters, model.searched)
  // Which cells are small does not depend on the filter, so it only tells which of them are asked for.
  if (isProtected) keys.push(`(${filtered.join(' AND ') || 'true'}) IS TRUE`)
  else conditions.push(...filtered)
  const currencies = [...new Set(measures.flatMap(({ currency }) => (currency ? [currency.sql] : [])))]
  keys.push(...currencies.map((currency) => `t.${currency}`))
  const columns = [
    ...keys.map((key, place) => `${key} AS k${place}`),
    ...measures.map((measure, place) => `${exactColumn(measure)} AS m${place}`),
  ]
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
  const read = `SELECT ${columns.join(', ') || '1 AS one'} FROM ${model.table} t ${where} LIMIT ${mostRows}`
  const names = keys.map((_, place) => `k${place}`)
  const counts = ['count(*)::int', ...measures.flatMap((measure, place) => aggregates(measure, `m${place}`))]
  const grouped = names.length > 0 ? `GROUP BY ${names.join(', ')} LIMIT ${mostCells + 1}` : ''
  const text = `SELECT ${[...names, ...counts].join(', ')} FROM (${read}) rows_read ${grouped}`
  const binding = { ...context.binding, timeoutMs }
  const rows = await context.db.rows(binding, prepared(text, parameters.values))
  if (rows.length > mostCells)
    throw badUserInput(
      `groupBy: more than ${mostCells} groups. Group by fewer dimensions or longer spans, or ask about less.`,
    )
  return rows.map((values) => cellOf(values, request, dimensions.length, currencies))
}

function edgesParameter({ edges, dimensions }: SummaryRequest, parameters: Parameters): string {
  const isDay = dimensions.find(({ isTime }) => isTime)!.column.type === 'date'
  const values = parameters.add(edges.map(({ day, instant }) => (isDay ? day : instant)))
  return `${values}::${isDay ? 'date' : 'timestamptz'}[]`
}

/** As the shortest text that means the same double: a cast to numeric alone would round it to 15 digits. */
const exactColumn = ({ column }: AskedMeasure): string =>
  /^(double|real|float)/.test(column.type) ? `(t.${column.sql})::text::numeric` : `t.${column.sql}`

const aggregates = ({ wantsSum, wantsSmallest, wantsLargest }: AskedMeasure, name: string): string[] => [
  `count(${name})::int`,
  wantsSum ? `sum(${name})::text` : 'NULL',
  wantsSmallest ? `min(${name})::text` : 'NULL',
  wantsLargest ? `max(${name})::text` : 'NULL',
]

function cellOf(
  values: readonly unknown[],
  { measures, isProtected }: SummaryRequest,
  dimensions: number,
  currencies: readonly string[],
): Cell {
  let place = dimensions
  const isAdmitted = isProtected ? values[place++] === true : true
  const inCurrency = new Map(currencies.map((currency) => [currency, values[place++] as string | null]))
  const count = values[place++] as number
  const next = () => values[place++] as string | null
  const decimal = (text: string | null) => (text === null ? null : exactDecimal(text))
  const amounts = measures.map(({ currency }) => ({
    currency: currency ? (inCurrency.get(currency.sql) ?? null) : null,
    count: values[place++] as number,
    sum: decimal(next()),
    smallest: decimal(next()),
    largest: decimal(next()),
  }))
  return { keys: values.slice(0, dimensions) as KeyValue[], isAdmitted, count, amounts }
}
