import { badUserInput } from '../errors'
import { compareDecimals, meanOf, sumOf, type ExactDecimal } from './exact-decimal'
import { hiddenCells, type HiddenCells } from './small-groups'
import type { Dimension } from './summary-model'
import type { AskedMeasure, SummaryRequest } from './summary-request'
import { cellDimensions, mostCells, type Amounts, type Cell, type KeyValue } from './summary-sql'

/** Says how many decimals the mean of numbers has. */
export const meanDecimals = 12

/** Rows that have in common what was asked for. */
export interface Group {
  /** By the dimensions of the request. */
  keys: readonly KeyValue[]
  count: number
  /** By the measures of the request, then by currency (`null` of numbers). */
  amounts: Map<string | null, Amounts>[]
  /** By the measures of the request: something is left out of `amounts`, so that nobody's own value is told. */
  hides: boolean[]
}

/** A group while cells are added to it. */
interface OpenGroup extends Group {
  cells: Set<string>
}

export interface Groups {
  groups: Group[]
  total: Group
  otherGroups: number
}

/** Puts the cells together that belong to a group, in the order asked for, and hides what small groups would tell. */
export function groupsOf(request: SummaryRequest, cells: readonly Cell[], isComplete: boolean): Groups {
  const { measures, dimensions, first } = request
  const all = cellDimensions(request)
  const places = dimensions.map((dimension) => all.indexOf(dimension))
  const open = (keys: readonly KeyValue[]): OpenGroup => ({
    keys,
    count: 0,
    amounts: measures.map(() => new Map<string | null, Amounts>()),
    hides: measures.map(() => false),
    cells: new Set<string>(),
  })
  const byKeys = new Map<string, OpenGroup>()
  const total = open(dimensions.map(() => null))
  for (const cell of cells) {
    if (!cell.isAdmitted || (cell.count === 0 && dimensions.length > 0)) continue
    const keys = places.map((place) => cell.keys[place] ?? null)
    const name = JSON.stringify(keys)
    let group = byKeys.get(name)
    if (!group) byKeys.set(name, (group = open(keys)))
    addCell(group, cell)
    addCell(total, cell)
  }
  if (request.fillGaps)
    for (const keys of missingKeys(request, [...byKeys.values()])) byKeys.set(keys.name, open(keys.keys))
  if (dimensions.length === 0 && byKeys.size === 0) byKeys.set('[]', open([]))
  const found = [...byKeys.values()]
  for (const [place, measure] of measures.entries())
    if (measure.minGroup > 1)
      hideSmall(
        place,
        hiddenCells(cells, place, measure.minGroup),
        found,
        total,
        dimensions.length > 0,
        isComplete,
      )
  found.sort(comparison(request))
  return { groups: found.slice(0, first), total, otherGroups: Math.max(0, found.length - first) }
}

function addCell(group: OpenGroup, cell: Cell): void {
  group.count += cell.count
  group.cells.add(JSON.stringify(cell.keys))
  for (const [place, amounts] of cell.amounts.entries()) {
    if (amounts.count === 0) continue
    const byCurrency = group.amounts[place]!
    const known = byCurrency.get(amounts.currency)
    byCurrency.set(amounts.currency, known ? added(known, amounts) : amounts)
  }
}

function added(one: Amounts, other: Amounts): Amounts {
  const pick = (a: ExactDecimal | null, b: ExactDecimal | null, sign: 1 | -1) =>
    a && b ? (compareDecimals(a, b) * sign <= 0 ? a : b) : (a ?? b)
  return {
    currency: one.currency,
    count: one.count + other.count,
    sum: one.sum && other.sum && sumOf(one.sum, other.sum),
    smallest: pick(one.smallest, other.smallest, 1),
    largest: pick(one.largest, other.largest, -1),
  }
}

function hideSmall(
  place: number,
  byCurrency: ReadonlyMap<string | null, HiddenCells>,
  groups: readonly OpenGroup[],
  total: OpenGroup,
  isGrouped: boolean,
  isComplete: boolean,
): void {
  for (const group of [...groups, total])
    for (const currency of [...group.amounts[place]!.keys()]) {
      const hidden = byCurrency.get(currency)!
      const isRemainder = group === total && isGrouped && hidden.isCompleted
      if (isComplete && !isRemainder && hidden.mayShow(group.cells)) continue
      group.amounts[place]!.delete(currency)
      group.hides[place] = true
    }
}

/** The keys of spans in which there is nothing, for each combination of the other keys. */
function missingKeys(
  { dimensions, edges, isBounded }: SummaryRequest,
  groups: readonly Group[],
): { name: string; keys: KeyValue[] }[] {
  const time = dimensions.findIndex(({ isTime }) => isTime)
  const spans = groups
    .map(({ keys }) => keys[time])
    .filter((span): span is number => typeof span === 'number' && span > 0 && span < edges.length)
  const from = isBounded ? 1 : spans.reduce((least, span) => Math.min(least, span), edges.length)
  const to = isBounded ? edges.length - 1 : spans.reduce((most, span) => Math.max(most, span), 0)
  const combinations = new Map<string, readonly KeyValue[]>()
  for (const { keys } of groups) combinations.set(JSON.stringify(keys.toSpliced(time, 1)), keys)
  if (dimensions.length === 1 && combinations.size === 0) combinations.set('', [null])
  if (combinations.size * (to - from + 1) > mostCells)
    throw badUserInput(`fillGaps: more than ${mostCells} groups. Ask for longer spans or about less.`)
  const known = new Set(groups.map(({ keys }) => JSON.stringify(keys)))
  const missing: { name: string; keys: KeyValue[] }[] = []
  for (const keys of combinations.values())
    for (let span = from; span <= to; span++) {
      const filled = keys.with(time, span)
      const name = JSON.stringify(filled)
      if (!known.has(name)) missing.push({ name, keys: filled })
    }
  return missing
}

type Comparison = (one: Group, other: Group) => number

/** By what was asked for, then by the keys in the order of the dimensions. */
function comparison({ dimensions, measures, order }: SummaryRequest): Comparison {
  const byKeys = dimensions.map((dimension, place) => byKey(dimension, place, false))
  const first = order ? [byOrder(order, dimensions, measures)] : []
  return (one, other) => {
    for (const compare of [...first, ...byKeys]) {
      const compared = compare(one, other)
      if (compared !== 0) return compared
    }
    return 0
  }
}

function byOrder(
  { by, descending, currency }: NonNullable<SummaryRequest['order']>,
  dimensions: readonly Dimension[],
  measures: readonly AskedMeasure[],
): Comparison {
  if (by === 'count') return (one, other) => (one.count - other.count) * (descending ? -1 : 1)
  if ('isTime' in by) return byKey(by, dimensions.indexOf(by), descending)
  const place = measures.indexOf(by)
  const valueOf = ({ amounts }: Group) => {
    const found = amounts[place]!.get(by.currency ? currency : null)
    return found?.sum ? (by.currency ? found.sum : meanOf(found.sum, found.count, meanDecimals)) : null
  }
  return withNullsLast(valueOf, compareDecimals, descending)
}

/** Texts as people read them, by the Unicode root collation, as lists are ordered. */
const collator = new Intl.Collator('en', { sensitivity: 'variant', caseFirst: 'false' })

function byKey({ column }: Dimension, place: number, descending: boolean): Comparison {
  const compare = (one: string | number | boolean, other: string | number | boolean) => {
    const inLanguage = column.text === 'language' ? collator.compare(String(one), String(other)) : 0
    return inLanguage || (one < other ? -1 : one > other ? 1 : 0)
  }
  return withNullsLast(({ keys }) => keys[place] ?? null, compare, descending)
}

function withNullsLast<V>(
  valueOf: (group: Group) => V | null,
  compare: (one: V, other: V) => number,
  descending: boolean,
): Comparison {
  return (one, other) => {
    const [a, b] = [valueOf(one), valueOf(other)]
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1
    return compare(a, b) * (descending ? -1 : 1)
  }
}
