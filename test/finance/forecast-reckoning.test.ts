import fc from 'fast-check'
import {
  confidenceIn,
  contributions,
  evenly,
  factorsFault,
  forecastMonths,
  historyFault,
  isReplayed,
  meanAbsolutePercentageError,
  methodVersion,
  shownMonths,
  total,
  valueOf,
  type FactorMode,
  type Reckoning,
} from '../../subgraphs/finance/rules/forecast'

/** How forecasts are reckoned, without a database. */
const methods = ['MEAN', 'SEASONAL_NAIVE', 'DRIFT', 'LINEAR_TREND'] as const
const factor = (value: string, weight: string, name = `f${value}${weight}`) => ({ name, value, weight })

test('each method gives what its section says, rounded once, halves away from nothing', () => {
  const history = ['100', '250', '130']
  expect(forecastMonths('MEAN', history, 2)).toEqual(['160', '160'])
  // The line from 100 to 130 rises by 15 a month; the one nearest to all is 160 + 15 (month - 2).
  expect(forecastMonths('DRIFT', history, 2)).toEqual(['145', '160'])
  expect(forecastMonths('LINEAR_TREND', history, 2)).toEqual(['190', '205'])
  const years = Array.from({ length: 13 }, (_, place) => String(place + 1))
  expect(forecastMonths('SEASONAL_NAIVE', years, 13)).toEqual([...years.slice(1), '2'])
  expect(forecastMonths('MEAN', ['1', '2'], 1)).toEqual(['2'])
  expect(forecastMonths('MEAN', ['-1', '-2'], 1)).toEqual(['-2'])
  expect(forecastMonths('DRIFT', ['0', '0', '1'], 2)).toEqual(['2', '2'])
  expect(forecastMonths('MEAN', ['9007199254740993', '9007199254740995'], 1)).toEqual(['9007199254740994'])
  expect(historyFault('SEASONAL_NAIVE', 11)).toBe('SEASONAL_NAIVE looks back on 12 to 60 months')
  expect(historyFault('DRIFT', 1)).toBe('DRIFT looks back on 2 to 60 months')
  expect(historyFault('MEAN', 61)).toBe('MEAN looks back on 1 to 60 months')
  for (const method of methods) expect(historyFault(method, 12)).toBeNull()
})

test('the error is the mean of the months in per cent of what came, without those in which nothing came', () => {
  const error = (...outcomes: [forecast: string, actual: string][]) =>
    meanAbsolutePercentageError(outcomes.map(([forecast, actual]) => ({ forecast, actual })))
  expect(error(['90', '100'])).toBe('10.00')
  expect(error(['90', '100'], ['5', '0'], ['60', '40'])).toBe('30.00')
  expect(error(['-90', '-100'], ['0', '50'])).toBe('55.00')
  expect(error(['2', '3'])).toBe('33.33')
  expect(error(['2', '3'], ['1', '3'])).toBe('50.00')
  expect(error(['100', '100'])).toBe('0.00')
  expect(error(['5', '0'])).toBeNull()
  expect(error()).toBeNull()
})

test('confidence is what is left of 100 when a method is tried on the last twelve months', () => {
  expect(confidenceIn('MEAN', ['100', '100', '100'])).toBe('100.00')
  expect(confidenceIn('MEAN', ['100', '80'])).toBe('75.00')
  expect(confidenceIn('MEAN', ['100', '30'])).toBe('0.00')
  expect(confidenceIn('DRIFT', ['1', '2'])).toBeNull()
  expect(confidenceIn('SEASONAL_NAIVE', [...Array<string>(12).fill('90'), '100'])).toBe('90.00')
  // What lies before the last twelve months is looked back on, but not tried.
  expect(confidenceIn('DRIFT', ['7', '900', ...Array<string>(13).fill('5')].slice(2))).toBe('100.00')
})

test('factors are a weighted average that loses nothing, or come to the base', () => {
  const thirds = ['a', 'b', 'c'].map((name) => factor('100', '0.33', name))
  expect(factorsFault('WEIGHTED', thirds)).toBeNull()
  expect(contributions('WEIGHTED', thirds)).toEqual(['34', '33', '33'])
  const some = [factor('1001', '0.5'), factor('-333', '0.3'), factor('10', '0.2')]
  // 500.5 - 99.9 + 2 = 402.6
  expect(contributions('WEIGHTED', some)).toEqual(['501', '-100', '2'])
  expect(valueOf('7', 'WEIGHTED', ['501', '-100', '2'])).toBe('403')
  expect(contributions('MARGINAL', [factor('1001', '0.5'), factor('-1001', '0.5')])).toEqual(['501', '-501'])
  expect(valueOf('7', 'MARGINAL', ['501', '-100'])).toBe('408')
  expect(valueOf('7', null, [])).toBe('7')
  expect(shownMonths(['10', '20', '30'], '64')).toEqual(['12', '21', '31'])
  expect(evenly('-100', 3)).toEqual(['-34', '-33', '-33'])
})

test.each<[string, FactorMode, ReturnType<typeof factor>[], string | null]>([
  ['weights of 1.01', 'WEIGHTED', [factor('1', '0.5'), factor('1', '0.51')], null],
  ['weights of 0.99', 'WEIGHTED', [factor('1', '0.5'), factor('1', '0.49')], null],
  [
    'more',
    'WEIGHTED',
    [factor('1', '0.5'), factor('1', '0.5101')],
    'have weights that add up to 1, give or take 0.01',
  ],
  ['less', 'WEIGHTED', [factor('1', '0.9899')], 'have weights that add up to 1, give or take 0.01'],
  ['a weight of nothing', 'WEIGHTED', [factor('1', '1'), factor('1', '0')], 'have weights of more than 0'],
  ['one name twice', 'MARGINAL', [factor('1', '1', 'A'), factor('2', '1', 'a')], 'have a name each'],
  ['ten', 'MARGINAL', [factor('1', '-10'), factor('1', '10')], null],
  ['more than ten', 'MARGINAL', [factor('1', '10.0001')], 'have weights between -10 and 10'],
  ['less than -10', 'MARGINAL', [factor('1', '-10.1')], 'have weights between -10 and 10'],
  ['five decimals', 'MARGINAL', [factor('1', '0.00001')], 'have weights with four decimals at most'],
  ['21', 'MARGINAL', Array.from({ length: 21 }, (_, at) => factor(String(at), '1')), 'are at most 20'],
  ['none', 'WEIGHTED', [], null],
])('factors with %s', (_what, mode, factors, fault) => {
  expect(factorsFault(mode, factors)).toBe(fault)
})

const amounts = fc.bigInt({ min: -(10n ** 13n), max: 10n ** 13n }).map(String)
const histories = fc.array(amounts, { minLength: 12, maxLength: 60 })
const weights = fc.integer({ min: -100_000, max: 100_000 }).map((size) => (size / 10_000).toFixed(4))
const reckonings = fc.record({
  method: fc.constantFrom(...methods),
  history: histories,
  count: fc.integer({ min: 1, max: 24 }),
  factors: fc.array(fc.tuple(amounts, weights), { maxLength: 5 }),
})

test('every forecast replays exactly from what it stores, and nothing that is changed by a unit does', () => {
  fc.assert(
    fc.property(reckonings, fc.nat(), ({ method, history, count, factors: given }, place) => {
      const months = forecastMonths(method, history, count)
      const base = total(months)
      const factorMode = given.length > 0 ? 'MARGINAL' : null
      const factors = given.map(([value, weight], at) => ({ name: String(at), value, weight }))
      const parts = contributions(factorMode, factors)
      const value = valueOf(base, factorMode, parts)
      const made = { method, methodVersion, history, months, base, value, factorMode }
      const stored = JSON.parse(JSON.stringify(made)) as Reckoning
      const told = factors.map((one, at) => ({ ...one, contribution: parts[at]! }))
      expect(isReplayed(stored, told)).toBe(true)
      expect(total(shownMonths(months, value))).toBe(value)
      const other = (amount: string) => String(BigInt(amount) + 1n)
      const at = place % count
      expect(isReplayed({ ...stored, months: months.with(at, other(months[at]!)) }, told)).toBe(false)
      expect(isReplayed({ ...stored, base: other(base) }, told)).toBe(false)
      expect(isReplayed({ ...stored, value: other(value) }, told)).toBe(false)
      expect(isReplayed({ ...stored, methodVersion: methodVersion + 1 }, told)).toBe(false)
      const [first] = told
      if (first)
        expect(
          isReplayed(stored, [{ ...first, contribution: other(first.contribution) }, ...told.slice(1)]),
        ).toBe(false)
    }),
  )
})

test('methods know no direction, and lines are continued exactly', () => {
  const negative = (list: readonly string[]) => list.map((amount) => String(-BigInt(amount)))
  fc.assert(
    fc.property(histories, fc.constantFrom(...methods), (history, method) => {
      expect(forecastMonths(method, negative(history), 12)).toEqual(
        negative(forecastMonths(method, history, 12)),
      )
    }),
  )
  const line = (start: bigint, rise: bigint, from: number, count: number) =>
    Array.from({ length: count }, (_, place) => String(start + rise * BigInt(from + place)))
  fc.assert(
    fc.property(
      fc.tuple(fc.bigInt(-(10n ** 12n), 10n ** 12n), fc.bigInt(-(10n ** 9n), 10n ** 9n)),
      fc.integer({ min: 2, max: 60 }),
      ([start, rise], count) => {
        for (const method of ['DRIFT', 'LINEAR_TREND'] as const)
          expect(forecastMonths(method, line(start, rise, 0, count), 24)).toEqual(
            line(start, rise, count, 24),
          )
      },
    ),
  )
})

test('weighted averages lie between what is weighed, and their parts add up to them', () => {
  const splits = fc.array(fc.tuple(amounts, fc.integer({ min: 1, max: 1000 })), {
    minLength: 1,
    maxLength: 8,
  })
  fc.assert(
    fc.property(splits, (given) => {
      const factors = given.map(([value, size], at) => ({
        name: String(at),
        value,
        weight: (size / 1000).toFixed(4),
      }))
      const average = BigInt(total(contributions('WEIGHTED', factors)))
      const values = factors.map(({ value }) => BigInt(value)).sort((a, b) => (a < b ? -1 : 1))
      expect(average >= values[0]! && average <= values.at(-1)!).toBe(true)
    }),
  )
})
