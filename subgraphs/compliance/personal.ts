import type { PersonalDeclarations } from '../../kernel/subjects'
import { requestEnd } from './retained'

/** Types that tell of due diligence: no receipt names them, nor that there is any (article 39 of Directive (EU) 2015/849). */
export const untold: readonly string[] = ['ComplianceRecord', 'ComplianceDecision', 'ScreeningMatch']

/** Rules that do not follow from the fields of what compliance has about people. */
export const personal: PersonalDeclarations = {
  AuditLog: {
    about: { User: 't.actor_id = $2' },
    // It names other people.
    withheld: ['changes'],
    isPorted: false,
    kept: {
      dataClass: 'AUDIT',
      startsAt: 't.occurred_at',
      reason: 'Proof of who did what (articles 5(2) and 32 GDPR)',
      isRemoved: true,
    },
  },
  ComplianceRecord: {
    // Whoever is checked is not told how, and what came of it (article 39 of Directive (EU) 2015/849).
    given: "t.type = 'KYC'",
    withheld: [
      ...['status', 'riskScore', 'screenedAt', 'listVersion', 'dueAt', 'expiresAt', 'escalatedAt'],
      ...['contentVersion', 'metadata'],
    ],
    isPorted: false,
    kept: {
      dataClass: 'COMPLIANCE',
      startsAt: "CASE WHEN t.status IN ('REJECTED', 'EXPIRED') THEN t.updated_at END",
      reason: 'Due diligence (article 40 of Directive (EU) 2015/849)',
      isRemoved: true,
    },
  },
  ScreeningMatch: { given: 'false' },
  ComplianceDecision: { given: 'false' },
  SecurityAlert: {
    // How attacks are found is the business' secret.
    given: 'false',
    kept: {
      dataClass: 'LOG',
      startsAt: 't.resolved_at',
      reason: 'Security of the network (recital 49 GDPR)',
      isRemoved: true,
    },
  },
  DataSubjectRequest: {
    withheld: ['collected', 'receipt', 'exportHash'],
    kept: {
      dataClass: 'USER_DATA',
      startsAt: requestEnd,
      reason: 'Proof that the request was answered (article 5(2) GDPR)',
      isRemoved: true,
    },
  },
}
