import { subgraph } from '../../kernel/subgraph'
import { AuditLog } from './entities/AuditLog'
import { retentionJob } from '../../kernel/retention'
import { AlertSuppression } from './entities/AlertSuppression'
import { ComplianceDecision } from './entities/ComplianceDecision'
import { ComplianceRecord } from './entities/ComplianceRecord'
import { DataSubjectRequest } from './entities/DataSubjectRequest'
import { HeldSubject } from './entities/HeldSubject'
import { LegalHold } from './entities/LegalHold'
import { RetentionPolicy } from './entities/RetentionPolicy'
import { RetentionReceipt } from './entities/RetentionReceipt'
import { ScreeningMatch } from './entities/ScreeningMatch'
import { SecurityAlert } from './entities/SecurityAlert'
import { auditMonths } from './jobs/audit-months'
import { idempotencyKeys } from './jobs/idempotency-keys'
import { laterPasses } from './jobs/later-passes'
import { oldEvents } from './jobs/old-events'
import { oldUsage } from './jobs/old-usage'
import { newLists, reviewDates } from './jobs/review-dates'
import { screening } from './jobs/screening'
import { endedRequests, subjectAnswers } from './jobs/subject-answers'
import { trailWatch } from './jobs/trail-watch'
import { auditLog } from './resolvers/AuditLog'
import { complianceRecord } from './resolvers/ComplianceRecord'
import { dataSubjectRequest } from './resolvers/DataSubjectRequest'
import { legalHold } from './resolvers/LegalHold'
import { retentionPolicy } from './resolvers/RetentionPolicy'
import { screeningMatch } from './resolvers/ScreeningMatch'
import { securityAlert } from './resolvers/SecurityAlert'
import { personal } from './personal'
import { retained } from './retained'

/** Removes what compliance keeps no longer. */
const retention = retentionJob(retained)

export default subgraph('compliance', {
  entities: [
    ComplianceRecord,
    ScreeningMatch,
    ComplianceDecision,
    SecurityAlert,
    AlertSuppression,
    LegalHold,
    HeldSubject,
    RetentionPolicy,
    RetentionReceipt,
    DataSubjectRequest,
    AuditLog,
  ],
  resolvers: [
    complianceRecord,
    screeningMatch,
    securityAlert,
    legalHold,
    retentionPolicy,
    dataSubjectRequest,
    auditLog,
  ],
  jobs: [
    auditMonths,
    endedRequests,
    idempotencyKeys,
    laterPasses,
    newLists,
    oldEvents,
    oldUsage,
    retention,
    reviewDates,
    screening,
    subjectAnswers,
    trailWatch,
  ],
  secrets: { ComplianceRecord: ['digestKey'] },
  // Each has a key of its own, which ends with it.
  erasable: ['DataSubjectRequest'],
  subjects: personal,
  retained,
})
