import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { migration, oneOf, tenantTable } from './sql'

const readers = ['COMPLIANCE_OFFICER'] as const

/** Alerts that are grouped, types that are silenced for a while, and the position up to which the trail was watched. */
export const securityAlerts = migration(202611290105, 'security-alerts', [
  tenantTable({
    schema: 'compliance',
    table: 'security_alerts',
    columns: {
      alert_type: 'varchar(100) NOT NULL',
      severity: oneOf('severity', ['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL']),
      // 1 for INFO to 5: texts have no such order.
      severity_level: `int NOT NULL GENERATED ALWAYS AS (CASE severity WHEN 'INFO' THEN 1 WHEN 'LOW' THEN 2
        WHEN 'MEDIUM' THEN 3 WHEN 'HIGH' THEN 4 ELSE 5 END) STORED`,
      source_ip: 'inet',
      destination_ip: 'inet',
      description: 'varchar(2000) NOT NULL',
      is_threat: 'boolean NOT NULL DEFAULT false',
      threat_score: 'double precision',
      status: `${oneOf('status', ['OPEN', 'ACKNOWLEDGED', 'INVESTIGATING', 'RESOLVED'])} DEFAULT 'OPEN'`,
      verdict: "text CHECK (verdict IN ('TRUE_POSITIVE', 'FALSE_POSITIVE', 'BENIGN'))",
      note: 'varchar(2000)',
      fingerprint: 'varchar(200) NOT NULL',
      occurrences: 'int NOT NULL DEFAULT 1',
      last_seen_at: 'timestamptz(3) NOT NULL',
      user_id: 'uuid',
      assignee_id: 'uuid',
      resolved_by_id: 'uuid',
      resolved_at: 'timestamptz(3)',
      reopened_at: 'timestamptz(3)',
    },
    checks: {
      alert_type: "alert_type ~ '^[A-Z][A-Z0-9_]*$'",
      description: "description <> ''",
      threat_score: 'threat_score BETWEEN 0 AND 1',
      occurrences: 'occurrences > 0',
      resolved:
        "(status = 'RESOLVED') = (verdict IS NOT NULL) AND (status = 'RESOLVED') = (resolved_at IS NOT NULL) AND (status = 'RESOLVED') = (resolved_by_id IS NOT NULL)",
      // Nobody says of what they are suspected of that it was nothing.
      resolved_by_id: 'resolved_by_id <> user_id',
    },
    references: {
      user_id: { table: 'identity.users' },
      assignee_id: { table: 'identity.users' },
      resolved_by_id: { table: 'identity.users' },
    },
    indexes: [
      'status, created_at, id',
      'status, id',
      'severity_level, id',
      'last_seen_at, id',
      'created_at, id',
      'alert_type, id',
    ],
    grants: { app_compliance: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  constraintMessages('compliance.security_alerts', {
    security_alerts_alert_type_check: 'must be capitals, digits and low lines, such as DENIAL_BURST',
    security_alerts_description_check: 'must not be empty',
    security_alerts_threat_score_check: 'must be between 0 and 1',
    security_alerts_resolved_by_id_check: 'must not be whom the alert is about',
  }),
  // The row of a fingerprint is locked by whoever raises: of a hundred at once one makes the alert, the others count.
  tenantTable({
    schema: 'compliance',
    table: 'alert_groups',
    without: ['id', 'version', 'created_at', 'updated_at'],
    primaryKey: ['fingerprint'],
    columns: {
      fingerprint: 'varchar(200) NOT NULL',
      alert_id: 'uuid NOT NULL',
      last_seen_at: 'timestamptz(3) NOT NULL',
    },
    grants: { app_compliance: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] },
  }),
  tenantTable({
    schema: 'compliance',
    table: 'alert_suppressions',
    columns: {
      alert_type: 'varchar(100) NOT NULL',
      until: 'timestamptz(3) NOT NULL',
      reason: 'varchar(2000) NOT NULL',
      suppressed: 'int NOT NULL DEFAULT 0',
      created_by_id: 'uuid NOT NULL',
    },
    checks: { alert_type: "alert_type ~ '^[A-Z][A-Z0-9_]*$'", reason: "reason <> ''" },
    references: { created_by_id: { table: 'identity.users' } },
    indexes: ['alert_type, until', 'until, id', 'created_at, id'],
    grants: { app_compliance: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  constraintMessages('compliance.alert_suppressions', {
    alert_suppressions_alert_type_check: 'must be capitals, digits and low lines, such as DENIAL_BURST',
    alert_suppressions_reason_check: 'must not be empty',
  }),
  // Up to which position of the audit trail it was looked through: each entry once.
  tenantTable({
    schema: 'compliance',
    table: 'trail_watches',
    without: ['id', 'version', 'created_at', 'updated_at'],
    primaryKey: [],
    columns: { position: 'bigint NOT NULL DEFAULT 0' },
    checks: { position: 'position >= 0' },
    grants: { app_compliance: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  permissions({
    'compliance:alert:read': { allows: 'Read security alerts', roles: readers },
    'compliance:alert:details': { allows: 'Read from which network addresses alerts come', roles: readers },
    'compliance:alert:write': {
      allows: 'Work on security alerts, and silence them for a while',
      roles: readers,
    },
    'compliance:alert:raise': { allows: 'Raise security alerts, as services do' },
  }),
])
