import type { RetainedRows } from '../../kernel/retention'

/** SQL over alias `t` of the instant at which a request is over: for an erasure with the last pass that had anything to do. */
export const requestEnd = `CASE WHEN t.ended_at IS NOT NULL AND t.next_pass_at IS NULL AND NOT t.is_held
  THEN greatest(t.ended_at, t.last_pass_at) END`

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
    // With what was asked for it and answered; not while something is left to erase.
    dataClass: 'USER_DATA',
    resourceType: 'DataSubjectRequest',
    table: 'compliance.data_subject_requests',
    startsAt: requestEnd,
    remove:
      'DELETE FROM compliance.data_subject_requests WHERE tenant_id = $1 AND id = ANY ($2) AND ended_at <= $3',
  },
]
