import type { GraphQLResolveInfo } from 'graphql'
import type { SubgraphContext } from '../context'
import type { EntityClass } from '../entity'
import { badUserInput } from '../errors'
import { modelOf, type EntityModel } from '../schema/entity-model'
import { mostDimensions, mostGroups } from '../schema/summary-forms'
import type { Filter } from './filter'
import { selectedFields } from './projection'
import { requireTenant } from './scope'
import { summaryModelOf, type Dimension, type Measure, type SummaryModel } from './summary-model'
import { bucketEdges, type Edge, type TimeBounds, type TimeBucket } from './time-buckets'

/** The arguments of a summary; a type without dimensions or times has fewer. */
export interface SummaryArguments {
  filter?: object | null
  groupBy?: readonly string[]
  per?: TimeBucket | null
  timeZone?: string | null
  fillGaps?: boolean
  orderBy?: { field: string; direction?: 'ASC' | 'DESC' | null; currency?: string | null } | null
  first?: number | null
  fresh?: boolean
}

/** A measure that is read, and what of it. */
export interface AskedMeasure extends Measure {
  wantsSum: boolean
  wantsSmallest: boolean
  wantsLargest: boolean
}

/** The value that groups are ordered by. */
export interface GroupOrder {
  by: 'count' | Dimension | AskedMeasure
  descending: boolean
  currency: string | null
}

/** A summary's request, checked and ready to be written as SQL. */
export interface SummaryRequest {
  model: EntityModel
  summary: SummaryModel
  dimensions: readonly Dimension[]
  measures: readonly AskedMeasure[]
  /** Tells whether a measure is told of several rows together only: then the statement counts by all fixed dimensions. */
  isProtected: boolean
  filter: Filter | null
  edges: readonly Edge[]
  zone: string
  fillGaps: boolean
  /** Tells whether the filter says both ends of the time that is grouped by. */
  isBounded: boolean
  order: GroupOrder | null
  first: number
}

/** Checks a summary's arguments and finds out what is selected of it. Throws BAD_USER_INPUT. */
export function readSummary(
  context: SubgraphContext,
  entity: EntityClass,
  args: SummaryArguments,
  info: GraphQLResolveInfo,
): SummaryRequest {
  const model = modelOf(context, entity)
  requireTenant(context, model)
  const summary = summaryModelOf(model)
  const dimensions = readDimensions(summary, args.groupBy ?? [])
  const measures = selectedMeasures(model, summary, info)
  const order = readOrder(summary, dimensions, measures, args.orderBy)
  const first = args.first ?? 100
  if (!Number.isInteger(first) || first < 1 || first > mostGroups)
    throw badUserInput(`first: ask for 1 to ${mostGroups} groups, not ${first}`)
  const filter = (args.filter ?? null) as Filter | null
  const isProtected = measures.some(({ minGroup }) => minGroup > 1)
  if (isProtected) requireFixed(summary, measures, dimensions, filter)
  const time = dimensions.find(({ isTime }) => isTime)
  if (time && !args.per) throw badUserInput(`per: say how long the spans of ${time.value} are, such as MONTH`)
  if (!time && args.per) throw badUserInput('per: no time is grouped by; leave it out')
  if (!time && args.fillGaps) throw badUserInput('fillGaps: no time is grouped by; leave it out')
  const zone = args.timeZone ?? 'UTC'
  const bounds = time ? boundsOf(filter, time.field) : {}
  const edges = time ? bucketEdges(args.per!, zone, bounds, context.clock.now()) : []
  const isBounded = bounds.from !== undefined && bounds.to !== undefined
  const fillGaps = args.fillGaps === true
  return {
    ...{ model, summary, dimensions, measures, isProtected, filter },
    ...{ edges, zone, fillGaps, isBounded, order, first },
  }
}

function readDimensions({ dimensions }: SummaryModel, values: readonly string[]): Dimension[] {
  if (values.length > mostDimensions)
    throw badUserInput(`groupBy: give at most ${mostDimensions} dimensions, not ${values.length}`)
  const found = values.map((value, place) => {
    if (values.indexOf(value) < place) throw badUserInput(`groupBy: ${value} is given twice`)
    return dimensions.find((dimension) => dimension.value === value)!
  })
  if (found.filter(({ isTime }) => isTime).length > 1)
    throw badUserInput('groupBy: group by one time at once')
  return found
}

function selectedMeasures(
  model: EntityModel,
  { measures }: SummaryModel,
  info: GraphQLResolveInfo,
): AskedMeasure[] {
  const places = [['groups'], ['total']]
  return measures.flatMap((measure) => {
    const { field, currency } = measure
    const isAsked = places.some((path) => selectedFields(info, `${model.name}Group`, path).has(field))
    if (!isAsked) return []
    const type = currency ? 'MoneyMeasure' : 'NumberMeasure'
    const of = new Set(places.flatMap((path) => [...selectedFields(info, type, [...path, field])]))
    return [
      {
        ...measure,
        wantsSum: of.has('sum') || of.has('average'),
        wantsSmallest: of.has('smallest') && measure.minGroup === 1,
        wantsLargest: of.has('largest') && measure.minGroup === 1,
      },
    ]
  })
}

/** @param measures gets the one that is ordered by, when it is not selected */
function readOrder(
  { measures: known }: SummaryModel,
  dimensions: readonly Dimension[],
  measures: AskedMeasure[],
  orderBy: SummaryArguments['orderBy'],
): GroupOrder | null {
  if (!orderBy) return null
  const { field, currency = null } = orderBy
  const descending = orderBy.direction === 'DESC'
  const measure = known.find(({ value }) => value === field)
  if (currency !== null && !measure?.currency)
    throw badUserInput(`orderBy.currency: ${field} is no amount; leave it out`)
  if (field === 'COUNT') return { by: 'count', descending, currency }
  if (!measure) {
    const by = dimensions.find(({ value }) => value === field)
    if (!by) throw badUserInput(`orderBy: group by ${field} as well`)
    return { by, descending, currency }
  }
  if (measure.currency && currency === null)
    throw badUserInput('orderBy.currency: say in which currency amounts compare')
  let by = measures.find(({ value }) => value === field)
  if (!by) measures.push((by = { ...measure, wantsSum: true, wantsSmallest: false, wantsLargest: false }))
  by.wantsSum = true
  return { by, descending, currency }
}

/**
 * Refuses to tell what several rows have together of groups that a day, an id or a name makes: two such questions
 * subtracted would tell what one row has.
 */
function requireFixed(
  { dimensions }: SummaryModel,
  measures: readonly AskedMeasure[],
  groupBy: readonly Dimension[],
  filter: Filter | null,
): void {
  const { field } = measures.find(({ minGroup }) => minGroup > 1)!
  const fixed = dimensions.filter(({ isFixed }) => isFixed)
  const names = fixed.map(({ value }) => value).join(', ') || 'nothing'
  const loose = groupBy.find(({ isFixed }) => !isFixed)
  if (loose)
    throw badUserInput(
      `groupBy: ${field} is told of groups by ${names} only: leave out ${loose.value}, or ${field}`,
    )
  const conditions = new Set(fixed.map(({ column }) => column.property))
  for (const [name, path] of conditionsIn(filter, 'filter'))
    if (!conditions.has(name))
      throw badUserInput(
        `${path}: ${field} is told of rows by ${[...conditions].join(', ') || 'nothing'} only: leave out this condition, or ${field}`,
      )
}

function conditionsIn(filter: Filter | null, path: string): (readonly [string, string])[] {
  return Object.entries(filter ?? {}).flatMap(([name, value]) => {
    const place = `${path}.${name}`
    if (name === 'and' || name === 'or')
      return ((value ?? []) as Filter[]).flatMap((one, index) => conditionsIn(one, `${place}[${index}]`))
    return name === 'not' ? conditionsIn(value as Filter | null, place) : [[name, place] as const]
  })
}

/** The range that a filter admits of a time, as far as it says it for all rows. */
function boundsOf(filter: Filter | null, field: string): TimeBounds {
  const bounds: TimeBounds = {}
  const narrow = ({ from, to }: TimeBounds) => {
    if (from !== undefined && (bounds.from === undefined || from > bounds.from)) bounds.from = from
    if (to !== undefined && (bounds.to === undefined || to < bounds.to)) bounds.to = to
  }
  const condition = (filter?.[field] ?? {}) as Readonly<Record<string, string | null | undefined>>
  const given = (operator: string) => condition[operator] ?? undefined
  narrow({ from: given('eq') ?? given('gte'), to: given('eq') ?? given('lte') })
  narrow({ from: given('gt'), to: before(given('lt')) })
  for (const one of (filter?.['and'] ?? []) as (Filter | null)[]) narrow(boundsOf(one, field))
  return bounds
}

/** The latest day or instant before this one. */
function before(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const isDay = value.length === 10
  const earlier = new Date(Date.parse(value) - (isDay ? 86_400_000 : 1)).toISOString()
  return isDay ? earlier.slice(0, 10) : earlier
}
