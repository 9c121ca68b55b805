/** Kinds of data that are kept alike, as the sources and the law have them. */
export const dataClasses = [
  'LOG',
  'ANALYTICS_EVENT',
  'TICKET',
  'FINANCIAL',
  'COMPLIANCE',
  'AUDIT',
  'USER_DATA',
  'MODEL_ARTIFACT',
  'MAIL',
  'FILE',
  'SESSION',
] as const
export type DataClass = (typeof dataClasses)[number]
export type RetentionUnit = 'DAY' | 'MONTH' | 'YEAR'

/** Describes the time for which a class is kept. */
export interface KeptFor {
  keepFor: number
  unit: RetentionUnit
}

/**
 * Holds what applies where a tenant decides nothing, and the least that a tenant may decide. Floors: books and vouchers (section 147 of
 * the German Fiscal Code, 17 CFR 210.2-06), due diligence (article 40 of Directive (EU) 2015/849, with its extension), the
 * trail that proves both. Versions of models are counted, so they have no time.
 */
export const retentionDefaults: Readonly<Record<DataClass, KeptFor & { floorYears: number }>> = {
  LOG: { keepFor: 90, unit: 'DAY', floorYears: 0 },
  ANALYTICS_EVENT: { keepFor: 1, unit: 'YEAR', floorYears: 0 },
  TICKET: { keepFor: 2, unit: 'YEAR', floorYears: 0 },
  FINANCIAL: { keepFor: 7, unit: 'YEAR', floorYears: 7 },
  COMPLIANCE: { keepFor: 7, unit: 'YEAR', floorYears: 7 },
  AUDIT: { keepFor: 10, unit: 'YEAR', floorYears: 10 },
  USER_DATA: { keepFor: 3, unit: 'YEAR', floorYears: 0 },
  MODEL_ARTIFACT: { keepFor: 5, unit: 'YEAR', floorYears: 0 },
  MAIL: { keepFor: 30, unit: 'DAY', floorYears: 0 },
  FILE: { keepFor: 2, unit: 'YEAR', floorYears: 0 },
  SESSION: { keepFor: 30, unit: 'DAY', floorYears: 0 },
}
