import type { SubgraphContext } from '../../../kernel/context'
import { isUuid } from '../../../kernel/id'
import { parseMoney } from '../../../kernel/money'
import type { MutationTransaction, Values } from '../../../kernel/mutate'
import { prepared } from '../../../kernel/statement'
import { monthFrom } from '../commission/compute'
import { Forecast } from '../entities/Forecast'
import { ForecastFactor } from '../entities/ForecastFactor'
import type {
  CreateForecastInput,
  FinanceUserErrorCode,
  GenerateForecastInput,
  SetForecastFactorsInput,
  UpdateForecastInput,
} from '../generated'
import {
  confidenceIn,
  contributions,
  evenly,
  factorsFault,
  fit,
  forecastMonths,
  historyFault,
  methodVersion,
  mostHistory,
  mostMonths,
  total,
  valueOf,
  type Factor,
  type FactorMode,
} from '../rules/forecast'
import { digestOfFactors } from '../digest'
import { historyOf, isBooked, type Series } from './actuals'

type Tx = MutationTransaction<FinanceUserErrorCode>

interface Change {
  id: string
  expectedVersion: number
}

/** The number of months from one first day of a month to another. */
function monthsBetween(start: string, end: string): number {
  const [year, month] = start.split('-').map(Number) as [number, number]
  const [endYear, endMonth] = end.split('-').map(Number) as [number, number]
  return (endYear - year) * 12 + endMonth - month
}

/** The forecast, locked, at a version and in a status. */
export async function forecastIn(
  tx: Tx,
  { id, expectedVersion }: Change,
  status: Forecast['status'],
): Promise<Forecast> {
  const found = await tx.find(Forecast, id)
  // A version that nobody saw is not judged.
  if (found.version !== expectedVersion)
    tx.fail('STALE_VERSION', `The forecast is at version ${found.version}: read it again`, 'expectedVersion')
  if (found.status !== status)
    tx.fail('INVALID_STATUS', `This forecast is ${found.status}: that is for ${status}`, 'id')
  return found
}

/** Drafts what somebody expects. */
export async function draftForecast(tx: Tx, input: CreateForecastInput): Promise<Forecast> {
  const { value, periodStart, periodEnd, ...plain } = input
  for (const [field, day] of Object.entries({ periodStart, periodEnd }))
    if (!day.endsWith('-01')) tx.fail('INVALID', `${field} must be the first day of a month`, field)
  const count = monthsBetween(periodStart, periodEnd)
  if (count < 1 || count > mostMonths)
    tx.fail('INVALID', `periodEnd must be 1 to ${mostMonths} months after periodStart`, 'periodEnd')
  if (plain.type === 'HEADCOUNT' && plain.departmentId)
    tx.fail(
      'INVALID',
      'departmentId is not for HEADCOUNT: it would tell what few people earn',
      'departmentId',
    )
  const { minor, currency } = parseMoney(value, 'value')
  const amounts = { currency, base: minor, value: minor, months: evenly(minor, count) }
  return tx.insert(Forecast, { ...plain, periodStart, periodEnd, ...amounts })
}

interface Reckoned extends Series {
  method: Exclude<Forecast['method'], 'MANUAL'>
  historyMonths: number
  horizonMonths: number
}

/** Columns of a forecast of the months from the present one on, from what is booked now. */
async function reckoned(
  context: SubgraphContext,
  tx: Tx,
  { method, historyMonths, horizonMonths, ...series }: Reckoned,
): Promise<Values<Forecast> & { base: string }> {
  const periodStart = monthFrom(context.clock.now().toISOString().slice(0, 10), 0)
  const periodEnd = monthFrom(periodStart, horizonMonths)
  const asked = { before: periodStart, count: historyMonths }
  const history = await historyOf((one) => tx.rows(one), context.binding.tenantId!, series, asked)
  const fault = historyFault(method, history.length)
  if (fault) tx.fail('INVALID', `${fault}: what is booked begins ${history.length} months ago`)
  const months = forecastMonths(method, history, horizonMonths)
  const base = total(months)
  if (!fit([...history, ...months, base])) tx.fail('INVALID', 'The amounts are more than can be stored')
  const confidenceScore = confidenceIn(method, history)
  const made = { method, methodVersion, history, months, confidenceScore }
  return { ...series, periodStart, periodEnd, base, value: base, ...made }
}

/** Drafts what a method says from the months before the present one. */
export async function generateForecast(
  context: SubgraphContext,
  tx: Tx,
  { name, departmentId = null, historyMonths = 24, horizonMonths = 12, ...asked }: GenerateForecastInput,
): Promise<Forecast> {
  const { type, method } = asked
  if (!isBooked({ type }))
    tx.fail('INVALID', `type is REVENUE, EXPENSE or CASH_FLOW: ${type} is not booked`, 'type')
  const fault = historyFault(method, historyMonths)
  if (fault !== null || method === 'MANUAL')
    return tx.fail('INVALID', fault ?? '', method === 'MANUAL' ? 'method' : 'historyMonths')
  if (horizonMonths < 1 || horizonMonths > mostMonths)
    tx.fail('INVALID', `horizonMonths is 1 to ${mostMonths}`, 'horizonMonths')
  if (departmentId !== null && !isUuid(departmentId))
    tx.fail('REFERENCE_NOT_FOUND', 'departmentId is not an id', 'departmentId')
  return tx.insert(Forecast, {
    name,
    ...(await reckoned(context, tx, { ...asked, method, departmentId, historyMonths, horizonMonths })),
  })
}

/** Changes the name of a draft, and what somebody said of a manual one. */
export async function updateForecast(
  tx: Tx,
  { name, value, confidenceScore, ...change }: UpdateForecastInput,
): Promise<Forecast> {
  const found = await forecastIn(tx, change, 'DRAFT')
  if (value === null) tx.fail('INVALID', 'value is required: omit it to keep it', 'value')
  const isReckoned = found.method !== 'MANUAL'
  if (isReckoned && value)
    tx.fail('INVALID', 'value was reckoned: give it factors, or generate anew', 'value')
  if (isReckoned && confidenceScore !== undefined)
    tx.fail('INVALID', 'confidenceScore was reckoned, as the amounts were', 'confidenceScore')
  return tx.update(Forecast, found.id, change.expectedVersion, {
    ...(name !== undefined && { name }),
    ...(confidenceScore !== undefined && { confidenceScore }),
    ...(value && (await amountsWith(tx, found, value))),
  })
}

/** The amounts of a manual forecast with another base. */
async function amountsWith(tx: Tx, found: Forecast, given: UpdateForecastInput['value'] & object) {
  const { minor: base, currency } = parseMoney(given, 'value')
  if (currency !== found.currency) tx.fail('INVALID', `value must be in ${found.currency}`, 'value')
  const parts = (await factorsOf(tx, found)).map(({ contribution }) => contribution)
  const value = storable(tx, valueOf(base, found.factorMode, parts), 'value')
  return { base, value, months: evenly(base, found.months.length) }
}

/** A sum that can be stored. */
function storable(tx: Tx, value: string, field: string): string {
  if (!fit([value])) tx.fail('INVALID', `${field} would be more than can be stored`, field)
  return value
}

const findFactors = `
  SELECT f.id, f.name, f.value::text, f.weight::text, f.contribution::text
    FROM finance.forecast_factors f WHERE f.tenant_id = $1 AND f.forecast_id = $2 ORDER BY f.position`

/** The factors of a forecast, which is locked, in their order. */
async function factorsOf(
  tx: Tx,
  { tenantId, id: forecastId }: Forecast,
): Promise<(Factor & { id: string; contribution: string })[]> {
  const rows = (await tx.rows(prepared(findFactors, [tenantId, forecastId]))) as string[][]
  return rows.map(([id, name, value, weight, contribution]) => ({
    ...{ id: id!, name: name!, value: value!, weight: weight!, contribution: contribution! },
  }))
}

const rowsOf = (forecast: Forecast, factors: readonly (Factor & { contribution: string })[]) =>
  factors.map(({ name, value, weight, contribution }, place) => ({
    ...{ forecastId: forecast.id, position: place + 1, currency: forecast.currency },
    ...{ name, value, weight, contribution },
  }))

/** Puts factors in the place of those that a draft has. */
export async function setFactors(
  tx: Tx,
  { id, expectedVersion, mode = 'MARGINAL', factors: given }: SetForecastFactorsInput,
): Promise<Forecast> {
  const found = await forecastIn(tx, { id, expectedVersion }, 'DRAFT')
  const factors = given.map(({ name, weight, value }): Factor => {
    const { minor, currency } = parseMoney(value, 'factors')
    if (currency !== found.currency)
      tx.fail('INVALID', `factors have values in ${found.currency}, as the forecast is`, 'factors')
    return { name, weight, value: minor }
  })
  const fault = factorsFault(mode, factors)
  if (fault) tx.fail('INVALID', `factors ${fault}`, 'factors')
  const factorMode: FactorMode | null = factors.length > 0 ? mode : null
  const factorsChecksum = digestOfFactors(factorMode, factors)
  if (factorsChecksum === (found.factorsChecksum ?? digestOfFactors(null, []))) return found
  const parts = contributions(factorMode, factors)
  parts.forEach((part) => storable(tx, part, 'factors'))
  const value = storable(tx, valueOf(found.base, factorMode, parts), 'factors')
  const present = await factorsOf(tx, found)
  if (present.length > 0)
    await tx.removeAll(
      ForecastFactor,
      present.map((factor) => factor.id),
    )
  const contributing = factors.map((factor, place) => ({ ...factor, contribution: parts[place]! }))
  if (factors.length > 0) await tx.insertAll(ForecastFactor, rowsOf(found, contributing))
  return tx.update(Forecast, found.id, expectedVersion, { value, factorMode, factorsChecksum })
}

/**
 * Drafts the next version of what is published. What was reckoned is reckoned anew for what is left of its months, looking back to
 * the same first month; factors, which were said of all months, come with it while all are left.
 */
export async function reviseForecast(context: SubgraphContext, tx: Tx, change: Change): Promise<Forecast> {
  const found = await forecastIn(tx, change, 'PUBLISHED')
  const { name, type, currency, departmentId, method, periodStart, periodEnd, base, months } = found
  const { confidenceScore } = found
  const present = monthFrom(context.clock.now().toISOString().slice(0, 10), 0)
  const gone = method === 'MANUAL' ? 0 : monthsBetween(periodStart, present)
  if (gone >= months.length) tx.fail('INVALID_STATUS', 'Its months are over: generate another forecast', 'id')
  const factors = gone === 0 ? await factorsOf(tx, found) : []
  const [factorMode, factorsChecksum] = gone === 0 ? [found.factorMode, found.factorsChecksum] : [null, null]
  const lengths = {
    historyMonths: Math.min(found.history.length + gone, mostHistory),
    horizonMonths: months.length - gone,
  }
  const series = { type, currency, departmentId }
  const made =
    method === 'MANUAL'
      ? { ...series, periodStart, periodEnd, base, months, confidenceScore }
      : await reckoned(context, tx, { ...series, method, ...lengths })
  const parts = factors.map(({ contribution }) => contribution)
  const value = storable(tx, valueOf(made.base, factorMode, parts), 'id')
  const version = { name, revision: found.revision + 1, revisesId: found.id, factorMode, factorsChecksum }
  const next = await tx.insert(Forecast, { ...made, ...version, value })
  if (factors.length > 0) await tx.insertAll(ForecastFactor, rowsOf(next, factors))
  return next
}

/** Deletes a draft with its factors. */
export async function deleteForecast(tx: Tx, change: Change): Promise<Forecast> {
  const found = await forecastIn(tx, change, 'DRAFT')
  const ids = (await factorsOf(tx, found)).map(({ id }) => id)
  if (ids.length > 0) await tx.removeAll(ForecastFactor, ids)
  return tx.remove(Forecast, found.id, change.expectedVersion)
}
