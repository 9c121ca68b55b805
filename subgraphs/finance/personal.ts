import type { PersonalDeclarations } from '../../kernel/subjects'

const kept = {
  dataClass: 'FINANCIAL',
  reason: 'Vouchers of the books (section 147 of the German Fiscal Code, 17 CFR 210.2-06)',
} as const

/** Rules that do not follow from the fields: what somebody earned is booked, so its sums stay, about an account without a name. */
export const personal: PersonalDeclarations = {
  SalesPerformance: {
    anonymous: ['commission', 'transaction'],
    kept: { ...kept, startsAt: 't.period_end' },
  },
  SalesPerformanceLine: {
    anonymous: ['base', 'rate', 'flatAmount', 'commission'],
    kept: { ...kept, startsAt: 't.created_at' },
  },
}
