import {
  confidenceIn,
  contributions,
  evenly,
  forecastMonths,
  methodVersion,
  total,
  valueOf,
  type Factor,
  type FactorMode,
  type ForecastMethod,
} from '../../subgraphs/finance/rules/forecast'
import { digestOfFactors } from '../../subgraphs/finance/digest'
import { demoUserIds } from './ids'
import type { DemoCurrency } from './profiles'
import { seededId, seededRandom } from './random'
import type { DemoRow } from './rows'
import { amount, day, dayOf, instant, times, type DemoSource, type DemoTable } from './table'

const euro: DemoCurrency = { code: 'EUR', minorUnits: 100, scale: 1 }

/** The first moment of the month that is so many before the present one. */
const monthsBefore = (today: number, count: number): number => {
  const now = new Date(today)
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - count, 1)
}

interface Plan {
  name: string
  type: 'REVENUE' | 'EXPENSE' | 'CASH_FLOW' | 'HEADCOUNT' | 'PIPELINE'
  method: ForecastMethod
  currency: DemoCurrency
  departmentId?: string
  /** Months from the first one to the present. */
  ago: number
  months: number
  /** Months that are looked back on. */
  history?: number
  /** The amount that somebody expects, in dollars. */
  units?: number
  confidence?: string
  mode?: FactorMode
  factors?: readonly (readonly [name: string, units: number, weight: string])[]
  isPublished: boolean
}

/**
 * A revenue outlook of half a year ago that has come true more or less, and the one that follows it; costs and cash that wait to be
 * published; what staff costs by three estimates, and what sales hopes for.
 */
function plansOf({ slug, profile }: DemoSource): Plan[] {
  const [first] = profile.currencies as readonly [DemoCurrency]
  const revenue = { name: 'Revenue outlook', type: 'REVENUE', currency: first, isPublished: true } as const
  return [
    { ...revenue, method: 'LINEAR_TREND', ago: 6, months: 6, history: 10 },
    {
      ...{ ...revenue, method: 'SEASONAL_NAIVE', ago: 0, months: 6, history: 16, mode: 'MARGINAL' },
      factors: [
        ['New price list', 120_000, '0.5'],
        ['Loss of a large customer', -80_000, '0.25'],
      ],
    },
    {
      ...{ name: 'Costs of the first department', type: 'EXPENSE', method: 'DRIFT', currency: first },
      ...{ departmentId: `019b76da-a800-7000-8000-0000000000${slug === 'acme' ? 'c' : 'd'}0` },
      ...{ ago: 0, months: 12, history: 12, isPublished: false },
    },
    {
      ...{ name: 'Cash', type: 'CASH_FLOW', method: 'MEAN', currency: first },
      ...{ ago: 0, months: 3, history: 16, isPublished: false },
    },
    {
      ...{ name: 'Staff in Europe', type: 'HEADCOUNT', method: 'MANUAL', currency: euro, units: 540_000 },
      ...{ ago: 2, months: 12, confidence: '75.00', isPublished: true, mode: 'WEIGHTED' },
      factors: [
        ['Contracts signed', 520_000, '0.5'],
        ['Heads of departments', 590_000, '0.3'],
        ['As the year before', 480_000, '0.2'],
      ],
    },
    {
      ...{ name: 'Open deals', type: 'PIPELINE', method: 'MANUAL', currency: euro, units: 1_250_000 },
      ...{ ago: -1, months: 3, confidence: '40.00', isPublished: false },
    },
  ]
}

/** The amounts that were booked in months, the last one last. */
function booked(plan: Plan, transactions: readonly DemoRow[], months: readonly number[]): string[] {
  const types =
    plan.type === 'CASH_FLOW' ? ['INCOME', 'EXPENSE'] : [plan.type === 'REVENUE' ? 'INCOME' : 'EXPENSE']
  return months.map((from) => {
    const month = dayOf(from).slice(0, 7)
    const found = transactions.filter(
      (row) =>
        types.includes(String(row['type'])) &&
        row['currency'] === plan.currency.code &&
        (plan.departmentId === undefined || row['department_id'] === plan.departmentId) &&
        String(row['occurred_at']).startsWith(month),
    )
    const signed = ({ type, amount: minor }: DemoRow) =>
      plan.type === 'CASH_FLOW' && type === 'EXPENSE' ? String(-BigInt(String(minor))) : String(minor)
    return total(found.map(signed))
  })
}

interface Made {
  forecast: DemoRow
  factors: DemoRow[]
}

function madeOf(source: DemoSource, transactions: readonly DemoRow[]): Made[] {
  const { slug, today } = source
  const { analyst, admin } = demoUserIds[slug]
  const random = seededRandom(`${slug} finance.forecasts`)
  const made: Made[] = []
  for (const plan of plansOf(source)) {
    const { method, ago, currency, mode = null } = plan
    const start = monthsBefore(today, ago)
    // What is reckoned needs the month before whole; what somebody says is said before.
    const created = method === 'MANUAL' ? Math.min(today, start) - 2 * day : Math.min(today, start + day / 3)
    const before = times(plan.history ?? 0, (place) => monthsBefore(today, ago + (plan.history ?? 0) - place))
    const history = booked(plan, transactions, before)
    const months =
      method === 'MANUAL'
        ? evenly(amount(currency, plan.units!), plan.months)
        : forecastMonths(method, history, plan.months)
    const base = total(months)
    const factors = (plan.factors ?? []).map(([name, units, weight]): Factor => {
      return { name, value: amount(currency, units), weight }
    })
    const parts = contributions(mode, factors)
    const former = made.find(({ forecast }) => forecast['name'] === plan.name)?.forecast
    const id = seededId(random, created)
    const forecast = {
      ...{
        id,
        name: plan.name,
        revision: former ? 2 : 1,
        revises_id: former?.['id'] ?? null,
        type: plan.type,
      },
      period_start: dayOf(start),
      period_end: dayOf(monthsBefore(today, ago - plan.months)),
      department_id: plan.departmentId ?? null,
      ...{ currency: currency.code, base, value: valueOf(base, mode, parts), months },
      ...{ method, method_version: methodVersion, history },
      confidence_score: method === 'MANUAL' ? plan.confidence! : confidenceIn(method, history),
      factor_mode: mode,
      factors_checksum: mode && digestOfFactors(mode, factors),
      status: plan.isPublished ? 'PUBLISHED' : 'DRAFT',
      created_by_id: analyst,
      published_by_id: plan.isPublished ? admin : null,
      published_at: plan.isPublished ? instant(Math.min(today, created + day / 8)) : null,
      created_at: instant(created),
    }
    const rows = factors.map((factor, place) => ({
      ...{ id: seededId(random, created), forecast_id: id, position: place + 1, currency: currency.code },
      ...{ ...factor, contribution: parts[place]!, created_at: instant(created) },
    }))
    made.push({ forecast, factors: rows })
  }
  return made
}

/** Forecasts of a demo tenant, from what it has booked. */
export function forecasts(transactions: DemoTable): DemoTable[] {
  const made = (source: DemoSource) =>
    madeOf(
      source,
      transactions.rows({ ...source, random: seededRandom(`${source.slug} ${transactions.name}`) }),
    )
  return [
    {
      name: 'finance.forecasts',
      noun: 'forecasts',
      rows: (source) => made(source).map(({ forecast }) => forecast),
    },
    {
      name: 'finance.forecast_factors',
      noun: 'factors of forecasts',
      rows: (source) => made(source).flatMap(({ factors }) => factors),
    },
  ]
}
