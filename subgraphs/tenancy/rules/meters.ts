import { scaled, unscaled } from './decimal'

/** Says what the readings of a meter add up to within a period. */
export type Aggregation = 'SUM' | 'MAX' | 'LAST' | 'UNIQUE_COUNT'

export type Meter = 'API_CALLS' | 'STORAGE_GB' | 'STORED_RECORDS' | 'ACTIVE_USERS'

/** The meters of the platform. What a reading means never changes: another aggregation is another meter. */
export const aggregationOf: Readonly<Record<Meter, Aggregation>> = {
  API_CALLS: 'SUM',
  STORAGE_GB: 'MAX',
  STORED_RECORDS: 'LAST',
  ACTIVE_USERS: 'UNIQUE_COUNT',
}

export const meters = Object.keys(aggregationOf) as Meter[]

/** Decimals of a quantity. */
export const quantityDecimals = 4

/** Holds what is known of the readings of one meter in one period; those that were taken back do not count. */
export interface Readings {
  sum: string
  most: string
  last: string
  /** When the last one was, ISO 8601; null when there is none. */
  lastAt: string | null
  /** Holds how many different subjects they name. */
  subjects: number
  /** Holds how many readings there are. */
  count: number
}

export const noReadings: Readings = { sum: '0', most: '0', last: '0', lastAt: null, subjects: 0, count: 0 }

/** Returns what readings add up to, as decimal text. */
export function usedOf(meter: Meter, readings: Readings): string {
  switch (aggregationOf[meter]) {
    case 'SUM':
      return readings.sum
    case 'MAX':
      return readings.most
    case 'LAST':
      return readings.last
    case 'UNIQUE_COUNT':
      return String(readings.subjects)
  }
}

/** The readings with one more. @param isNewSubject whether it names a subject that none of them names */
export function withReading(
  readings: Readings,
  reading: { quantity: string; occurredAt: string },
  isNewSubject: boolean,
): Readings {
  const [quantity, sum, most] = [reading.quantity, readings.sum, readings.most].map((value) =>
    scaled(value, quantityDecimals),
  ) as [bigint, bigint, bigint]
  const isLast = readings.lastAt === null || Date.parse(reading.occurredAt) >= Date.parse(readings.lastAt)
  return {
    sum: unscaled(sum + quantity, quantityDecimals),
    most: unscaled(quantity > most ? quantity : most, quantityDecimals),
    last: isLast ? reading.quantity : readings.last,
    lastAt: isLast ? reading.occurredAt : readings.lastAt,
    subjects: readings.subjects + (isNewSubject ? 1 : 0),
    count: readings.count + 1,
  }
}

/** Describes what a plan allows of a meter within a period, and what happens beyond it. */
export interface Limit {
  /** Decimal text of at most four places. */
  limit: string
  /** REFUSE: nothing more is taken. OVERAGE: it is taken, and billed where the plan has a price for it. */
  beyond: 'REFUSE' | 'OVERAGE'
}

export type Limits = Readonly<Partial<Record<Meter, Limit>>>

/** Returns why limits, an object by the name of the meter, are none; or null. */
export function limitsFault(limits: unknown): string | null {
  if (typeof limits !== 'object' || limits === null || Array.isArray(limits)) return 'must be an object'
  for (const [name, value] of Object.entries(limits as Record<string, unknown>)) {
    if (!meters.includes(name as Meter)) return `has ${name}, which is none of ${meters.join(', ')}`
    const { limit, beyond, ...others } = (value ?? {}) as Record<string, unknown>
    const isLimit = typeof limit === 'string' && /^\d{1,15}(\.\d{1,4})?$/.test(limit)
    const isWhole = Object.keys(others).length === 0 && (beyond === 'REFUSE' || beyond === 'OVERAGE')
    if (!isLimit || !isWhole)
      return `needs for ${name} an object of limit, a text of a number that is not negative with at most 4 decimals, and beyond, REFUSE or OVERAGE`
  }
  return null
}

export type LimitLevel = 'WITHIN' | 'NEAR' | 'REACHED'

/** Returns how near a limit is: NEAR from 80 % of it on, REACHED when nothing is left. */
export function levelOf(used: string, { limit }: Limit): LimitLevel {
  const [now, most] = [scaled(used, quantityDecimals), scaled(limit, quantityDecimals)]
  if (now >= most) return 'REACHED'
  return now * 10n >= most * 8n ? 'NEAR' : 'WITHIN'
}

/** Tells whether so much is more than the limit. */
export function isBeyond(used: string, { limit }: Limit): boolean {
  return scaled(used, quantityDecimals) > scaled(limit, quantityDecimals)
}

const minute = 60_000
const day = 86_400_000
/** Holds how far a reading may lie in the past and in the future, in milliseconds. */
const window = { past: 35 * day, future: 5 * minute }

/** Tells whether a decimal can be a quantity: not negative, at most 12 digits and 4 decimals. */
export function isQuantity(decimal: string): boolean {
  return /^\d{1,12}(\.\d{1,4})?$/.test(decimal)
}

/** Returns what is wrong with a reading, or null. A count of subjects needs one; every other meter a quantity. */
export function readingFault(
  reading: { meter: Meter; quantity: string; occurredAt: string; properties: unknown },
  now: number,
): { field: string; message: string } | null {
  const { meter, quantity, occurredAt, properties } = reading
  if (!isQuantity(quantity))
    return { field: 'quantity', message: 'must not be negative, and have at most 12 digits and 4 decimals' }
  const at = Date.parse(occurredAt)
  if (at < now - window.past || at > now + window.future)
    return { field: 'occurredAt', message: 'must be within the last 35 days, and at most 5 minutes ahead' }
  if (typeof properties !== 'object' || properties === null || Array.isArray(properties))
    return { field: 'properties', message: 'must be an object' }
  if (aggregationOf[meter] !== 'UNIQUE_COUNT') return null
  const { subject } = properties as { subject?: unknown }
  return typeof subject === 'string' && subject !== '' && subject.length <= 200
    ? null
    : { field: 'properties', message: `needs the member subject for ${meter}: a text of 1 to 200 characters` }
}
