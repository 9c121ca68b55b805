import { money } from '../money'
import { decimalText, meanOf, type ExactDecimal } from './exact-decimal'
import { meanDecimals, type Group, type Groups } from './summary-groups'
import type { Dimension } from './summary-model'
import type { AskedMeasure, SummaryRequest } from './summary-request'
import type { Amounts, KeyValue } from './summary-sql'
import type { Edge } from './time-buckets'

/** A group as the graph shows it: its measures stand beside key and count, by the names of their fields. */
export interface ShownGroup {
  key: Readonly<Record<string, unknown>>
  count: number
  [measure: string]: unknown
}

/** A summary as the graph shows it. */
export interface Summary {
  groups: ShownGroup[]
  total: ShownGroup
  otherGroups: number
  timeZone: string
  /** ISO 8601. */
  asOf: string
  complete: boolean
}

export function shownSummary(
  request: SummaryRequest,
  { groups, total, otherGroups }: Groups,
  asOf: string,
  complete: boolean,
): Summary {
  const shown = (group: Group, isTotal = false): ShownGroup => ({
    ...Object.fromEntries(
      request.measures.map((measure, place) => [measure.field, shownMeasure(measure, group, place)]),
    ),
    key: isTotal ? {} : shownKey(request, group),
    count: group.count,
  })
  return {
    groups: groups.map((group) => shown(group)),
    total: shown(total, true),
    otherGroups,
    timeZone: request.zone,
    asOf,
    complete,
  }
}

function shownKey({ dimensions, edges }: SummaryRequest, { keys }: Group): Record<string, unknown> {
  return Object.fromEntries(
    dimensions.map((dimension, place) => [dimension.field, shownValue(dimension, keys[place]!, edges)]),
  )
}

function shownValue({ isReference, isTime }: Dimension, value: KeyValue, edges: readonly Edge[]): unknown {
  if (value === null) return null
  if (isReference) return { id: value }
  if (!isTime) return value
  const [start, end] = [edges[Number(value) - 1], edges[Number(value)]]
  return { start: start?.instant ?? null, end: end?.instant ?? null, firstDay: start?.day ?? null }
}

function shownMeasure({ currency }: AskedMeasure, { amounts, hides }: Group, place: number): unknown {
  const shown = [...amounts[place]!.values()]
  if (!currency) return shown[0] ? shownNumbers(shown[0]) : null
  if (shown.length === 0) return hides[place] ? null : []
  return shown.sort((one, other) => (one.currency! < other.currency! ? -1 : 1)).map(shownAmounts)
}

function shownAmounts({ currency, count, sum, smallest, largest }: Amounts): object {
  const amount = (units: ExactDecimal | null) => units && money(String(units.units), currency)
  return {
    currency,
    count,
    sum: amount(sum),
    average: amount(sum && meanOf(sum, count, 0)),
    smallest: amount(smallest),
    largest: amount(largest),
  }
}

/** As many decimals as a Decimal has; only doubles near zero have more. */
const mostDecimals = 18

function shownNumbers({ count, sum, smallest, largest }: Amounts): object {
  const number = (value: ExactDecimal | null) =>
    value && decimalText(value.scale > mostDecimals ? meanOf(value, 1, mostDecimals) : value)
  return {
    count,
    sum: number(sum),
    average: number(sum && meanOf(sum, count, meanDecimals)),
    smallest: number(smallest),
    largest: number(largest),
  }
}
