import type { SubgraphContext } from '../../../kernel/context'
import { valueByKey } from '../../../kernel/query'
import { prepared } from '../../../kernel/statement'
import { monthFrom } from '../commission/compute'
import type { ReadRows } from '../commission/sales'
import type { Forecast, ForecastType } from '../entities/Forecast'
import { dayOf } from '../rules/entry'

/** Amounts that are forecast, or looked back on. */
export type Series = Pick<Forecast, 'type' | 'currency' | 'departmentId'>

/** Types whose amounts are booked. */
const booked: ReadonlySet<ForecastType> = new Set(['REVENUE', 'EXPENSE', 'CASH_FLOW'])
export const isBooked = ({ type }: Pick<Forecast, 'type'>): boolean => booked.has(type)

// As budgets count: refunds and reversals take back, in their own month.
const sumMonths = `
  SELECT asked.key, sum(CASE WHEN asked.kind = 'CASH_FLOW' AND t.type = 'EXPENSE' THEN -t.amount ELSE t.amount END)::text
    FROM unnest($2::text[], $3::text[], $4::text[], $5::uuid[], $6::timestamptz[], $7::timestamptz[])
           AS asked (key, kind, currency, department_id, starts_at, ends_at)
    JOIN finance.transactions t
      ON t.tenant_id = $1 AND t.occurred_at >= asked.starts_at AND t.occurred_at < asked.ends_at
     AND t.currency = asked.currency AND (asked.department_id IS NULL OR t.department_id = asked.department_id)
     AND (t.type = 'INCOME' AND asked.kind <> 'EXPENSE' OR t.type = 'EXPENSE' AND asked.kind <> 'REVENUE')
   GROUP BY asked.key`

/** A month of a series, by which its amount is found. */
const keyOf = ({ type, currency, departmentId }: Series, month: string): string =>
  [type, currency, departmentId ?? '', month].join()

function valuesOf(tenantId: string | null, keys: readonly string[]): unknown[] {
  const parts = keys.map((key) => key.split(','))
  const midnight = (month: string) => `${month}T00:00:00Z`
  return [
    ...[tenantId, keys, parts.map(([type]) => type), parts.map(([, currency]) => currency)],
    parts.map(([, , departmentId]) => departmentId || null),
    parts.map(([, , , month]) => midnight(month!)),
    parts.map(([, , , month]) => midnight(monthFrom(month!, 1))),
  ]
}

/** The amount that was booked in a month, by its key: one statement for all months of all forecasts of a level. */
export const amountOf = valueByKey<string>(sumMonths, '0', ({ binding }, keys) =>
  valuesOf(binding.tenantId, keys),
)

/** The key of a month for {@link amountOf}; null while it is not over, and where nothing is booked. */
export function endedMonth({ clock }: SubgraphContext, series: Series, month: string): string | null {
  const isOver = monthFrom(month, 1) <= dayOf(clock.now().toISOString())
  return isOver && isBooked(series) ? keyOf(series, month) : null
}

/**
 * The amounts that were booked in the months just before a first day, the last one last; from the first one in which anything was, for
 * before it nobody kept books. All of them where nothing was.
 */
export async function historyOf(
  rows: ReadRows,
  tenantId: string,
  series: Series,
  { before, count }: { before: string; count: number },
): Promise<string[]> {
  const keys = Array.from({ length: count }, (_, place) => keyOf(series, monthFrom(before, place - count)))
  const found = new Map((await rows(prepared(sumMonths, valuesOf(tenantId, keys)))) as [string, string][])
  const first = keys.findIndex((key) => found.has(key))
  return keys.slice(Math.max(first, 0)).map((key) => found.get(key) ?? '0')
}
