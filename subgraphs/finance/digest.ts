import { createHash } from 'node:crypto'
import type { CommissionLine } from './rules/commission'
import type { Factor, FactorMode } from './rules/forecast'

const sha256 = (values: unknown): string => createHash('sha256').update(JSON.stringify(values)).digest('hex')

/** A digest of lines: equal for equal ones in their order. */
export const digestOf = (lines: readonly CommissionLine[]): string => sha256(lines)

/** A digest of factors: equal for equal ones in their order. */
export const digestOfFactors = (mode: FactorMode | null, factors: readonly Factor[]): string =>
  sha256([mode, factors.map(({ name, value, weight }) => [name, value, Number(weight)])])
