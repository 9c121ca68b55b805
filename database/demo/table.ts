import type { DemoSlug } from './ids'
import type { DemoCurrency, DemoProfile } from './profiles'
import type { Random } from './random'
import type { DemoRow } from './rows'

/** In milliseconds. */
export const day = 86_400_000

/** Describes what the rows of a demo tenant are made from. */
export interface DemoSource {
  slug: DemoSlug
  profile: DemoProfile
  random: Random
  /** Midnight (UTC) of the present day, in milliseconds since 1970: rows tell of the time before it. */
  today: number
}

/** A table of the demo data: how its rows are written and made. */
export interface DemoTable {
  name: string
  /** Holds what progress calls the rows. */
  noun: string
  rows(source: DemoSource): DemoRow[]
}

export const instant = (milliseconds: number): string => new Date(milliseconds).toISOString()
export const dayOf = (milliseconds: number): string => instant(milliseconds).slice(0, 10)
export const padded = (number: number, digits: number): string => String(number).padStart(digits, '0')
export const times = <T>(count: number, make: (place: number) => T): T[] =>
  Array.from({ length: count }, (_, place) => make(place))

/** An amount in the currency's smallest unit, as digits; `units` is what it would be in dollars. */
export function amount({ minorUnits, scale }: DemoCurrency, units: number): string {
  return String(Math.round(units * scale * minorUnits))
}

/** Two decimals, so that many rows share a value and pages must break ties. */
export const score = (random: Random): number => random.int(0, 100) / 100
