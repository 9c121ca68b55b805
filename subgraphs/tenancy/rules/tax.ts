import { scaled } from './decimal'

/**
 * Says how a tenant is taxed. STANDARD: at a rate. REVERSE_CHARGE: by the tenant itself (Directive 2006/112/EC, articles 44 and 196),
 * which needs its tax id. EXEMPT: not at all.
 */
export type TaxTreatment = 'STANDARD' | 'REVERSE_CHARGE' | 'EXEMPT'

/** Describes which tax a tenant pays from a day on. */
export interface TaxProfile {
  /** The first day, ISO 8601. */
  validFrom: string
  treatment: TaxTreatment
  /** Per cent, decimal text of at most four places. */
  rate: string
  taxId: string | null
  reason: string | null
}

/** Describes the tax on a line. */
export interface LineTax {
  taxRate: string
  taxTreatment: TaxTreatment
  /** Holds why nothing is taxed; null where something is. */
  taxReason: string | null
}

/**
 * The profile that holds on a day: the latest that has begun, and before all of them the first. Null where there is none.
 * @param profiles in the order of their days
 */
export function profileOn(profiles: readonly TaxProfile[], day: string): TaxProfile | null {
  return profiles.filter(({ validFrom }) => validFrom <= day).at(-1) ?? profiles[0] ?? null
}

/** The tax on what is taxed as on a day; nothing while it is not decided. */
export function taxOn(profiles: readonly TaxProfile[], day: string): LineTax {
  const profile = profileOn(profiles, day)
  if (!profile) return { taxRate: '0', taxTreatment: 'STANDARD', taxReason: null }
  const { rate, treatment, reason } = profile
  return { taxRate: rate, taxTreatment: treatment, taxReason: Number(rate) === 0 ? reason : null }
}

/** The tax of a line that waits and has that of its day. */
export const taxOfItsDay = { taxRate: null, taxTreatment: null, taxReason: null }

/** Returns what lines of one group of a breakdown have in common (EN 16931-1, BG-23): treatment, rate and reason. */
export const taxKey = (line: {
  taxRate: string
  taxTreatment?: TaxTreatment
  taxReason?: string | null
}): string => {
  const { taxRate, taxTreatment = 'STANDARD', taxReason } = line
  return `${String(scaled(taxRate, 4)).padStart(7, '0')} ${taxTreatment} ${taxReason ?? ''}`
}
