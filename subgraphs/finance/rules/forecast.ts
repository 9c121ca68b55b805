import { millionths, rounded } from './commission'

/**
 * Forecasts of monthly amounts. The methods and their names are those of Hyndman and Athanasopoulos, Forecasting: Principles and
 * Practice, 3rd edition (otexts.com/fpp3). All is reckoned in whole numbers and their fractions and rounded once, halves away from zero,
 * so that the same months give the same to the smallest unit, anywhere and at any time; nothing is random.
 */
export type ForecastMethod = 'MANUAL' | 'MEAN' | 'SEASONAL_NAIVE' | 'DRIFT' | 'LINEAR_TREND'

/** The version of the methods, which is stored with what they gave: another way to reckon is another version. */
export const methodVersion = 1

/** The most months that are forecast at once, and those that are looked back on. */
export const mostMonths = 24
export const mostHistory = 60

/** A quotient of whole numbers; what divides is more than nothing. */
type Fraction = readonly [dividend: bigint, divisor: bigint]

interface Method {
  /** Months of history without which it says nothing. */
  least: number
  /** The amount of the month that is `step` months after the last one of the history. */
  ahead(history: readonly bigint[], step: number): Fraction
}

const sumOf = (amounts: readonly bigint[]): bigint => amounts.reduce((sum, one) => sum + one, 0n)

const methods: Readonly<Record<Exclude<ForecastMethod, 'MANUAL'>, Method>> = {
  /** Section 5.2, mean method. */
  MEAN: { least: 1, ahead: (history) => [sumOf(history), BigInt(history.length)] },
  /** Section 5.2, seasonal naive method: the same month of the last year there is. */
  SEASONAL_NAIVE: {
    least: 12,
    ahead: (history, step) => [history[history.length - 12 + ((step - 1) % 12)]!, 1n],
  },
  /** Section 5.2, drift method: the line from the first month through the last one. */
  DRIFT: {
    least: 2,
    ahead(history, step) {
      const [first, last, gaps] = [history[0]!, history.at(-1)!, BigInt(history.length - 1)]
      return [last * gaps + BigInt(step) * (last - first), gaps]
    },
  },
  /** Section 7.1, least squares: the line nearest to all months, of which the first is 1. */
  LINEAR_TREND: {
    least: 2,
    ahead(history, step) {
      const count = BigInt(history.length)
      const places = history.map((_amount, place) => BigInt(place + 1))
      const sum = sumOf(history)
      const sumOfPlaces = sumOf(places)
      const rise = count * sumOf(history.map((one, place) => one * places[place]!)) - sum * sumOfPlaces
      const run = count * sumOf(places.map((one) => one * one)) - sumOfPlaces * sumOfPlaces
      const distance = count * (count + BigInt(step)) - sumOfPlaces
      return [run * sum + rise * distance, count * run]
    },
  },
}

/** Why a history of so many months is none for a method, or null. */
export function historyFault(method: ForecastMethod, months: number): string | null {
  if (method === 'MANUAL') return 'MANUAL reckons nothing: use createForecast'
  const { least } = methods[method]
  if (months >= least && months <= mostHistory) return null
  return `${method} looks back on ${least} to ${mostHistory} months`
}

/**
 * The amounts of the next months by a method.
 * @param history of consecutive months in the smallest unit, the last one last; at least as many as the method needs
 */
export function forecastMonths(
  method: Exclude<ForecastMethod, 'MANUAL'>,
  history: readonly string[],
  count: number,
): string[] {
  const amounts = history.map(BigInt)
  return Array.from({ length: count }, (_, place) =>
    String(rounded(...methods[method].ahead(amounts, place + 1))),
  )
}

/** An amount in equal parts that add up to it; what is left over goes unit by unit to the first ones. */
export function evenly(minor: string, count: number): string[] {
  const amount = BigInt(minor)
  const part = amount / BigInt(count)
  const left = amount % BigInt(count)
  const [size, unit] = left < 0n ? [-left, -1n] : [left, 1n]
  return Array.from({ length: count }, (_, place) => String(part + (BigInt(place) < size ? unit : 0n)))
}

/** The sum of amounts. */
export const total = (amounts: readonly string[]): string => String(sumOf(amounts.map(BigInt)))

/** Hundredths as a decimal. */
function decimal(hundredths: bigint): string {
  const digits = String(hundredths).padStart(3, '0')
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** An amount that was forecast, and what came of it. */
export interface Outcome {
  forecast: string
  actual: string
}

/** The mean of the errors in per cent of what came, in hundredths; months in which nothing came are skipped; null when all are. */
function meanError(outcomes: readonly Outcome[]): bigint | null {
  const told = outcomes.filter(({ actual }) => BigInt(actual) !== 0n)
  if (told.length === 0) return null
  const size = (amount: bigint) => (amount < 0n ? -amount : amount)
  const [dividend, divisor] = told
    .map(({ forecast, actual }): Fraction => [size(BigInt(actual) - BigInt(forecast)), size(BigInt(actual))])
    .reduce(([a, b], [c, d]): Fraction => [a * d + c * b, b * d])
  return rounded(dividend * 10_000n, divisor * BigInt(told.length))
}

/**
 * The mean absolute percentage error (MAPE, section 5.8) in per cent with two decimals. It is nothing of months without an actual
 * amount: these are skipped; null when there is no other.
 */
export function meanAbsolutePercentageError(outcomes: readonly Outcome[]): string | null {
  const error = meanError(outcomes)
  return error === null ? null : decimal(error)
}

/** Months that a method is tried on. */
const mostTries = 12

/**
 * The confidence in a method, 0 to 100 with two decimals: 100 less the mean absolute percentage error of what it would have said of each
 * of the last twelve months from those before it (time series cross-validation, section 5.10). Null where there is nothing to try it on.
 */
export function confidenceIn(
  method: Exclude<ForecastMethod, 'MANUAL'>,
  history: readonly string[],
): string | null {
  const from = Math.max(methods[method].least, history.length - mostTries)
  const error = meanError(
    history.slice(from).map((actual, place) => {
      const [forecast] = forecastMonths(method, history.slice(0, from + place), 1)
      return { forecast: forecast!, actual }
    }),
  )
  if (error === null) return null
  return decimal(error > 10_000n ? 0n : 10_000n - error)
}

/** Ways in which factors make the value: an average of what they say, or what each of them adds to the base. */
export type FactorMode = 'WEIGHTED' | 'MARGINAL'

export interface Factor {
  name: string
  /** In the smallest unit. */
  value: string
  /** A decimal with four decimals at most. */
  weight: string
}

/** The most factors of a forecast. */
export const mostFactors = 20

const one = 1_000_000n

/** Why factors are none of a forecast, or null. */
export function factorsFault(mode: FactorMode, factors: readonly Factor[]): string | null {
  if (factors.length > mostFactors) return `are at most ${mostFactors}`
  if (factors.length === 0) return null
  if (factors.some(({ weight }) => !/^-?\d{1,2}(\.\d{1,4})?$/.test(weight)))
    return 'have weights with four decimals at most'
  const spelled = factors.map(({ name }) => name.normalize('NFKC').toLowerCase())
  if (new Set(spelled).size < spelled.length) return 'have a name each'
  const weights = factors.map(({ weight }) => millionths(weight))
  if (mode === 'MARGINAL')
    return weights.some((weight) => weight > 10n * one || weight < -10n * one)
      ? 'have weights between -10 and 10'
      : null
  if (weights.some((weight) => weight <= 0n)) return 'have weights of more than 0'
  const off = sumOf(weights) - one
  return off > one / 100n || off < -one / 100n ? 'have weights that add up to 1, give or take 0.01' : null
}

/**
 * The contribution of each factor. MARGINAL: its value times its weight, which comes to the base. WEIGHTED: its part of a weighted average
 * (forecast combination, section 13.4), the weights taken to add up to 1 exactly; the parts add up to the average.
 */
export function contributions(mode: FactorMode | null, factors: readonly Factor[]): string[] {
  const weights = factors.map(({ weight }) => millionths(weight))
  const products = factors.map(({ value }, place) => BigInt(value) * weights[place]!)
  if (mode === 'WEIGHTED') return partsOfQuotient(products, sumOf(weights))
  return products.map((product) => String(rounded(product, one)))
}

/** Quotients, each rounded down, and what the rounded sum has more unit by unit to the largest remainders (Hamilton's method). */
function partsOfQuotient(dividends: readonly bigint[], divisor: bigint): string[] {
  const remainders = dividends.map((dividend) => ((dividend % divisor) + divisor) % divisor)
  const parts = dividends.map((dividend, place) => (dividend - remainders[place]!) / divisor)
  const left = Number(rounded(sumOf(dividends), divisor) - sumOf(parts))
  const order = remainders
    .map((remainder, place) => ({ remainder, place }))
    .sort((a, b) => (a.remainder === b.remainder ? a.place - b.place : a.remainder < b.remainder ? 1 : -1))
  for (const { place } of order.slice(0, left)) parts[place] = parts[place]! + 1n
  return parts.map(String)
}

/** The value of a forecast: its base without factors, their average, or the base with what they add. */
export const valueOf = (base: string, mode: FactorMode | null, parts: readonly string[]): string =>
  total(mode === 'WEIGHTED' ? parts : [base, ...parts])

/** The amounts by month that add up to the value: what factors change is spread evenly over the months. */
export function shownMonths(months: readonly string[], value: string): string[] {
  const change = evenly(String(BigInt(value) - BigInt(total(months))), months.length)
  return months.map((amount, place) => total([amount, change[place]!]))
}

/** Everything that a forecast was made of, and what came out. */
export interface Reckoning {
  method: ForecastMethod
  methodVersion: number
  history: readonly string[]
  months: readonly string[]
  base: string
  value: string
  factorMode: FactorMode | null
}

/** Tells whether a forecast, reckoned anew from what stands in it, comes out as it does. */
export function isReplayed(
  { method, methodVersion: version, history, months, base, value, factorMode }: Reckoning,
  factors: readonly (Factor & { contribution: string })[],
): boolean {
  if (version !== methodVersion) return false
  if (method !== 'MANUAL' && historyFault(method, history.length) !== null) return false
  const again =
    method === 'MANUAL' ? evenly(base, months.length) : forecastMonths(method, history, months.length)
  const parts = contributions(factorMode, factors)
  return (
    again.join() === months.join() &&
    total(months) === base &&
    parts.join() === factors.map(({ contribution }) => contribution).join() &&
    valueOf(base, factorMode, parts) === value
  )
}

const largest = 2n ** 63n - 1n

/** Tells whether amounts can be stored. */
export const fit = (amounts: readonly string[]): boolean =>
  amounts.every((amount) => BigInt(amount) <= largest && BigInt(amount) >= -largest)
