import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { money } from '../../../kernel/money'
import { mutate } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { valueByKey } from '../../../kernel/query'
import { one } from '../../../kernel/relation'
import { summary } from '../../../kernel/summary'
import type { SubgraphContext } from '../../../kernel/context'
import { monthFrom } from '../commission/compute'
import { Forecast } from '../entities/Forecast'
import { ForecastFactor } from '../entities/ForecastFactor'
import { amountOf, endedMonth, type Series } from '../forecasts/actuals'
import {
  deleteForecast,
  draftForecast,
  forecastIn,
  generateForecast,
  reviseForecast,
  setFactors,
  updateForecast,
} from '../forecasts/drafts'
import type { ForecastMonth, Resolvers } from '../generated'
import { dayOf } from '../rules/entry'
import { isReplayed, meanAbsolutePercentageError, shownMonths, total, type Factor } from '../rules/forecast'

const defaultOrder = { property: 'periodStart', direction: 'DESC' } as const
const byPosition = { defaultOrder: { property: 'position', direction: 'ASC' } } as const
const reference = (id: string | null) => (id ? { id } : null)
const findFactors = `
  SELECT f.forecast_id, jsonb_agg(jsonb_build_object('name', f.name, 'value', f.value::text, 'weight', f.weight::text,
         'contribution', f.contribution::text) ORDER BY f.position)
    FROM finance.forecast_factors f WHERE f.tenant_id = $1 AND f.forecast_id = ANY ($2::uuid[]) GROUP BY f.forecast_id`
const factorsOf = valueByKey<(Factor & { contribution: string })[]>(findFactors, [])

const ofMonths = ['type', 'currency', 'departmentId', 'periodStart', 'months'] as const
const monthOf = (periodStart: string, place: number) => monthFrom(periodStart, place)

/** A month with the key of what was booked in it, which is read when it is asked for. */
interface Shown extends ForecastMonth {
  key: string | null
}

/** The amount that was booked in each month that is over; null for the others. */
function actualsOf(
  context: SubgraphContext,
  { periodStart, months, ...series }: Series & Pick<Forecast, 'periodStart' | 'months'>,
): Promise<(string | null)[]> {
  return Promise.all(
    months.map((_amount, place) => {
      const key = endedMonth(context, series, monthOf(periodStart, place))
      return key === null ? null : amountOf(context, key)
    }),
  )
}

export const forecast: Resolvers = {
  Query: {
    forecast: (_, { id }, context, info) => load(context, Forecast, id, info),
    forecasts: (_, args, context, info) => page(context, Forecast, args, info, { defaultOrder }),
    forecastSummary: (_, args, context, info) => summary(context, Forecast, args, info),
  },
  Mutation: {
    createForecast: (_, { input }, context) =>
      mutate(context, async (tx) => ({ forecast: await draftForecast(tx, input) })),
    generateForecast: (_, { input }, context) =>
      mutate(context, async (tx) => ({ forecast: await generateForecast(context, tx, input) })),
    updateForecast: (_, { input }, context) =>
      mutate(context, async (tx) => ({ forecast: await updateForecast(tx, input) })),
    setForecastFactors: (_, { input }, context) =>
      mutate(context, async (tx) => ({ forecast: await setFactors(tx, input) })),
    publishForecast: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const { id } = await forecastIn(tx, input, 'DRAFT')
        const published = {
          publishedById: context.viewer!.userId,
          publishedAt: context.clock.now().toISOString(),
        }
        return {
          forecast: await tx.update(Forecast, id, input.expectedVersion, {
            status: 'PUBLISHED',
            ...published,
          }),
        }
      }),
    reviseForecast: (_, { input }, context) =>
      mutate(context, async (tx) => ({ forecast: await reviseForecast(context, tx, input) })),
    deleteForecast: (_, { input }, context) =>
      mutate(context, async (tx) => ({ forecast: await deleteForecast(tx, input) })),
  },
  Forecast: {
    revises: one(Forecast, 'revisesId', Forecast),
    department: needs(Forecast, ['departmentId'], (row) => reference(row.departmentId)),
    value: needs(Forecast, ['value', 'currency'], (row) => money(row.value, row.currency)),
    base: needs(Forecast, ['base', 'currency'], (row) => money(row.base, row.currency)),
    months: needs(Forecast, [...ofMonths, 'value'], (row, _args, context) =>
      shownMonths(row.months, row.value).map((amount, place): Shown => {
        const month = monthOf(row.periodStart, place)
        return { month, value: money(amount, row.currency), key: endedMonth(context, row, month) }
      }),
    ),
    history: needs(Forecast, ['history', 'currency'], ({ history, currency }) =>
      history.map((amount) => money(amount, currency)),
    ),
    factors: needs(Forecast, ['id'], ({ id }, args, context, info) =>
      nested(context, ForecastFactor, 'forecastId', id, args, info, byPosition),
    ),
    isReplayable: needs(
      Forecast,
      ['id', 'method', 'methodVersion', 'history', 'months', 'base', 'value', 'factorMode'],
      async ({ id, ...row }, _args, context) => isReplayed(row, await factorsOf(context, id)),
    ),
    actual: needs(Forecast, ofMonths, async (row, _args, context) => {
      const ended = (await actualsOf(context, row)).filter((amount) => amount !== null)
      return ended.length > 0 ? money(total(ended), row.currency) : null
    }),
    meanAbsolutePercentageError: needs(
      Forecast,
      [...ofMonths, 'value', 'publishedAt'],
      async ({ publishedAt, ...row }, _args, context) => {
        if (publishedAt === null) return null
        const actuals = await actualsOf(context, row)
        if (actuals.includes(null)) return null
        const outcomes = shownMonths(row.months, row.value).map((amount, place) => ({
          ...{ forecast: amount, actual: actuals[place]! },
          month: monthOf(row.periodStart, place),
        }))
        // What is known already is not forecast.
        return meanAbsolutePercentageError(outcomes.filter(({ month }) => month > dayOf(publishedAt)))
      },
    ),
    createdBy: needs(Forecast, ['createdById'], (row) => reference(row.createdById)),
    publishedBy: needs(Forecast, ['publishedById'], (row) => reference(row.publishedById)),
  },
  ForecastMonth: {
    actual: async (month, _args, context) => {
      const { key, value } = month as Shown
      return key === null ? null : money(await amountOf(context, key), value.currency)
    },
  },
  ForecastFactor: {
    forecast: one(ForecastFactor, 'forecastId', Forecast),
    value: needs(ForecastFactor, ['value', 'currency'], (row) => money(row.value, row.currency)),
    contribution: needs(ForecastFactor, ['contribution', 'currency'], (row) =>
      money(row.contribution, row.currency),
    ),
  },
}
