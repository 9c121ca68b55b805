import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { migration, oneOf, tenantTable } from './sql'

/** Compliance records, kept for seven years: the application cannot delete them. */
export const compliance = migration(5, 'compliance', [
  tenantTable({
    schema: 'compliance',
    table: 'compliance_records',
    columns: {
      type: oneOf('type', ['AML', 'KYC', 'OFAC', 'OTHER']),
      status: `${oneOf('status', ['PENDING', 'APPROVED', 'REJECTED', 'FLAGGED'])} DEFAULT 'PENDING'`,
      risk_score: 'int',
      data: 'jsonb NOT NULL',
      metadata: "jsonb NOT NULL DEFAULT '{}'",
      created_by_id: 'uuid NOT NULL',
      prepared_by_id: 'uuid NOT NULL',
      reviewed_by_id: 'uuid',
      editor_ids: "uuid[] NOT NULL DEFAULT '{}'",
    },
    checks: {
      risk_score: 'risk_score BETWEEN 1 AND 100',
      data: "jsonb_typeof(data) = 'object'",
      metadata: "jsonb_typeof(metadata) = 'object'",
      // Four eyes, whatever the application does: nobody who ever changed the content decides about it.
      reviewed_by_id:
        'reviewed_by_id NOT IN (created_by_id, prepared_by_id) AND reviewed_by_id <> ALL (editor_ids)',
    },
    references: {
      created_by_id: { table: 'identity.users' },
      prepared_by_id: { table: 'identity.users' },
      reviewed_by_id: { table: 'identity.users' },
    },
    indexes: [
      'status, created_at, id',
      'status, id',
      'type',
      'created_at, id',
      'updated_at, id',
      'risk_score, id',
    ],
    partition: { by: 'hash', parts: 8 },
    grants: { app_compliance: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  constraintMessages('compliance.compliance_records', {
    compliance_records_risk_score_check: 'must be between 1 and 100',
    compliance_records_data_check: 'must be a JSON object',
    compliance_records_metadata_check: 'must be a JSON object',
    compliance_records_reviewed_by_id_check: 'must not be who created the record or ever changed it',
  }),
  permissions({
    'compliance:record:read': {
      allows: 'Read compliance records',
      roles: ['COMPLIANCE_OFFICER', 'ANALYST', 'VIEWER'],
    },
    'compliance:record:write': {
      allows: 'Create and change compliance records',
      roles: ['COMPLIANCE_OFFICER'],
    },
    'compliance:record:details': {
      allows: 'Read what compliance checks found',
      roles: ['COMPLIANCE_OFFICER'],
    },
    'compliance:audit:read': { allows: 'Read who did what, and when', roles: ['COMPLIANCE_OFFICER'] },
    'compliance:audit:details': {
      allows: 'Read what an audited change changed, and from where it came',
      roles: ['COMPLIANCE_OFFICER'],
    },
  }),
])
