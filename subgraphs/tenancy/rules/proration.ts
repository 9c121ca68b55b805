import { divided } from './decimal'

/** A half-open range of time, in milliseconds since 1970. */
export interface Span {
  start: number
  end: number
}

/** The span of a half-open range of days in UTC. */
export function spanOf({ start, end }: { start: string; end: string }): Span {
  return { start: Date.parse(`${start}T00:00:00.000Z`), end: Date.parse(`${end}T00:00:00.000Z`) }
}

const second = 1000

/**
 * The part of an amount that is for what is left of a period, by the second, rounded once, halves away from zero. An instant
 * before the period leaves all of it, one after it nothing; a fraction of a second counts as not begun.
 */
export function unusedPart(amount: bigint, period: Span, at: number): bigint {
  const whole = BigInt(Math.max(1, Math.floor((period.end - period.start) / second)))
  const used = BigInt(Math.floor((at - period.start) / second))
  const left = used < 0n ? whole : used > whole ? 0n : whole - used
  return divided(amount * left, whole)
}

/**
 * Proration of a change within a period: what is unused at the old price is credited, and the same time is charged at
 * the new one. Amounts are what the whole period costs, in smallest units. A change and its opposite in one instant add up
 * to nothing, and a chain of changes costs what its parts cost: each boundary is rounded once and used on both sides.
 * @param change.until when the term ends, where that is before the period does: what lies behind it was never billed
 * @returns `credit` at most nothing and `charge` at least nothing, for prices that are not negative
 */
export function prorate(change: { period: Span; at: number; from: bigint; to: bigint; until?: number }): {
  credit: bigint
  charge: bigint
} {
  const { period, at, from, to, until = period.end } = change
  if (at >= until) return { credit: 0n, charge: 0n }
  const left = (amount: bigint) => unusedPart(amount, period, at) - unusedPart(amount, period, until)
  return { credit: -left(from), charge: left(to) }
}

/**
 * An amount in parts by weight, which add up to it: by the method of the largest remainder (Hamilton), of equal remainders
 * the first. A negative amount is shared out like its opposite.
 * @param weights none negative, one more than nothing
 */
export function shareOut(amount: bigint, weights: readonly bigint[]): bigint[] {
  const sum = weights.reduce((total, weight) => total + weight, 0n)
  if (sum <= 0n || weights.some((weight) => weight < 0n))
    throw new Error('Weights must not be negative, and one must be more than nothing')
  if (amount < 0n) return shareOut(-amount, weights).map((part) => -part)
  const parts = weights.map((weight) => (amount * weight) / sum)
  let left = amount - parts.reduce((total, part) => total + part, 0n)
  const byRemainder = weights
    .map((weight, place) => ({ place, remainder: (amount * weight) % sum }))
    .sort((a, b) => (a.remainder === b.remainder ? a.place - b.place : a.remainder > b.remainder ? -1 : 1))
  for (const { place } of byRemainder) {
    if (left === 0n) break
    parts[place]! += 1n
    left -= 1n
  }
  return parts
}
