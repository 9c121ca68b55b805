import type { RetainedRows } from '../../kernel/retention'

/** Rows that compliance keeps for a time: its own rows alone. The audit trail goes by whole months (`npm run audit`). */
export const retained: readonly RetainedRows[] = [
  {
    dataClass: 'COMPLIANCE',
    resourceType: 'ComplianceRecord',
    table: 'compliance.compliance_records',
    // From the rejection, or the end of the approval: until then it is in use.
    startsAt: "CASE WHEN t.status IN ('REJECTED', 'EXPIRED') THEN t.updated_at END",
    about: { Customer: 't.customer_id', Employee: 't.employee_id' },
    remove: 'SELECT compliance.remove_old_records($2, $3) WHERE $1::uuid IS NOT NULL',
  },
  {
    dataClass: 'LOG',
    resourceType: 'SecurityAlert',
    table: 'compliance.security_alerts',
    startsAt: 't.resolved_at',
    about: { User: 't.user_id' },
    remove:
      'DELETE FROM compliance.security_alerts WHERE tenant_id = $1 AND id = ANY ($2) AND resolved_at <= $3',
  },
  {
    // With what was asked for it and answered.
    dataClass: 'USER_DATA',
    resourceType: 'DataSubjectRequest',
    table: 'compliance.data_subject_requests',
    startsAt: 't.ended_at',
    remove:
      'DELETE FROM compliance.data_subject_requests WHERE tenant_id = $1 AND id = ANY ($2) AND ended_at <= $3',
  },
]
