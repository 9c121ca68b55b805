import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { addColumns, migration, oneOf, sql, tenantTable } from './sql'

const table = 'compliance.compliance_records'
const jsonText = (column: string) =>
  `coalesce(${column} ->> 'encrypted', ${column} ->> 0, ${column} #>> '{}')`
const inClear = (column: string, text = column) =>
  `(${column} IS NOT NULL AND (${text} LIKE 'enc1:%') IS NOT TRUE)`
const inClearIndex = (name: string, of: string, conditions: readonly string[]) =>
  `CREATE INDEX ${name} ON ${of} (tenant_id, id) WHERE ${conditions.join(' OR ')}`
const ofContent = [inClear('data', jsonText('data')), inClear('metadata', jsonText('metadata'))]
const ofSubject = ['subject_name', 'subject_birth_date', 'digest_key'].map((column) => inClear(column))

const statuses = (values: readonly string[]) =>
  `ADD CONSTRAINT compliance_records_status_check CHECK (status IN (${values.map((value) => `'${value}'`).join(', ')}))`
const former = ['PENDING', 'APPROVED', 'REJECTED', 'FLAGGED']
const allStatuses = [...former, 'SCREENING', 'POTENTIAL_MATCH', 'EXPIRED']

/** Cases: whom a compliance record is about, its screening, the decisions about it with reasons, due dates and expiry. */
export const complianceCases = migration(202611290100, 'compliance-cases', [
  addColumns(
    table,
    {
      customer_id: 'uuid',
      employee_id: 'uuid',
      // Encrypted: the name as it is screened, and the day of birth.
      subject_name: 'text',
      subject_birth_date: 'text',
      // Encrypted: the key of the digests of this record's content.
      digest_key: 'text',
      content_version: 'int NOT NULL DEFAULT 1',
      screened_version: 'int',
      screened_at: 'timestamptz(3)',
      list_version: 'varchar(100)',
      due_at: 'timestamptz(3)',
      expires_at: 'timestamptz(3)',
      escalated_at: 'timestamptz(3)',
      escalated_to_id: 'uuid',
      // Who flagged or escalated the content as it stands: somebody else releases it.
      raised_by_ids: "uuid[] NOT NULL DEFAULT '{}'",
    },
    {
      customer_id: { table: 'insights.customers' },
      employee_id: { table: 'hr.employees' },
      escalated_to_id: { table: 'identity.users' },
    },
    ['due_at, id', 'expires_at, id', { columns: 'status, expires_at', where: 'expires_at IS NOT NULL' }],
  ),
  sql(
    [
      `ALTER TABLE ${table} DROP CONSTRAINT compliance_records_status_check,
         ${statuses(allStatuses)},
         ADD CONSTRAINT compliance_records_subject_birth_date_check CHECK (subject_birth_date IS NULL OR subject_name IS NOT NULL),
         ADD CONSTRAINT compliance_records_raised_by_ids_check CHECK (status <> 'APPROVED' OR reviewed_by_id <> ALL (raised_by_ids))`,
      'DROP INDEX compliance.compliance_records_in_clear',
      inClearIndex('compliance_records_in_clear', table, [...ofContent, ...ofSubject]),
    ],
    [
      'DROP INDEX compliance.compliance_records_in_clear',
      inClearIndex('compliance_records_in_clear', table, ofContent),
      // What the former statuses cannot say waits for a review.
      `UPDATE ${table} SET status = 'FLAGGED', updated_at = now() WHERE status NOT IN (${former.map((value) => `'${value}'`).join(', ')})`,
      `ALTER TABLE ${table} DROP CONSTRAINT compliance_records_raised_by_ids_check,
         DROP CONSTRAINT compliance_records_subject_birth_date_check, DROP CONSTRAINT compliance_records_status_check, ${statuses(former)}`,
    ],
  ),
  constraintMessages(table, {
    compliance_records_subject_birth_date_check: 'needs a name beside it',
    compliance_records_raised_by_ids_check: 'must not be who flagged or escalated the record',
  }),

  tenantTable({
    schema: 'compliance',
    table: 'screening_matches',
    columns: {
      record_id: 'uuid NOT NULL',
      list_name: 'varchar(100) NOT NULL',
      list_version: 'varchar(100) NOT NULL',
      entry_id: 'varchar(100) NOT NULL',
      // Keyed: of the subject and the entry as they were compared.
      compared_digest: 'varchar(100) NOT NULL',
      // Encrypted: that somebody looks like a listed person is told to few.
      listed_name: 'text NOT NULL',
      score: 'int NOT NULL',
      decision: `${oneOf('decision', ['OPEN', 'FALSE_POSITIVE', 'TRUE_MATCH'])} DEFAULT 'OPEN'`,
      is_current: 'boolean NOT NULL DEFAULT true',
      comment: 'text',
      decided_by_id: 'uuid',
      decided_at: 'timestamptz(3)',
    },
    unique: [['record_id', 'entry_id', 'compared_digest']],
    checks: {
      score: 'score BETWEEN 1 AND 100',
      decided:
        "(decision = 'OPEN') = (decided_by_id IS NULL) AND (decision = 'OPEN') = (decided_at IS NULL) AND (decision = 'OPEN') = (comment IS NULL)",
    },
    references: { record_id: { table, index: 'record_id, id' }, decided_by_id: { table: 'identity.users' } },
    indexes: ['decision, id', 'score, id', 'created_at, id'],
    grants: { app_compliance: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  sql(
    inClearIndex('screening_matches_in_clear', 'compliance.screening_matches', [
      inClear('listed_name'),
      inClear('comment'),
    ]),
    'DROP INDEX compliance.screening_matches_in_clear',
  ),

  // Rows are added and never changed: no role of the application may.
  tenantTable({
    schema: 'compliance',
    table: 'compliance_decisions',
    without: ['version', 'updated_at'],
    columns: {
      record_id: 'uuid NOT NULL',
      match_id: 'uuid',
      action: oneOf('action', ['APPROVE', 'REJECT', 'FLAG', 'ESCALATE', 'CLEAR_MATCH', 'CONFIRM_MATCH']),
      from_status: oneOf('from_status', allStatuses),
      to_status: oneOf('to_status', allStatuses),
      // Encrypted.
      rationale: 'text NOT NULL',
      record_version: 'int NOT NULL',
      content_digest: 'varchar(100) NOT NULL',
      decided_by_id: 'uuid NOT NULL',
    },
    checks: { match_id: "(match_id IS NULL) = (action NOT IN ('CLEAR_MATCH', 'CONFIRM_MATCH'))" },
    references: {
      record_id: { table, index: 'record_id, created_at, id' },
      match_id: { table: 'compliance.screening_matches' },
      decided_by_id: { table: 'identity.users' },
    },
    indexes: ['created_at, id', 'action, id'],
    grants: { app_compliance: ['SELECT', 'INSERT'] },
  }),
  sql(
    inClearIndex('compliance_decisions_in_clear', 'compliance.compliance_decisions', [inClear('rationale')]),
    'DROP INDEX compliance.compliance_decisions_in_clear',
  ),
  permissions({
    'compliance:record:decide': {
      allows: 'Decide about compliance records that others prepared',
      roles: ['COMPLIANCE_OFFICER'],
    },
  }),
])
