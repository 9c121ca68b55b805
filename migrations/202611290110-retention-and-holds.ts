import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { byLanguage, grant, migration, oneOf, sql, subgraphRoles, tenantTable } from './sql'

const classes = [
  ...['LOG', 'ANALYTICS_EVENT', 'TICKET', 'FINANCIAL', 'COMPLIANCE', 'AUDIT', 'USER_DATA', 'MODEL_ARTIFACT'],
  ...['MAIL', 'FILE', 'SESSION'],
]
const units = ['DAY', 'MONTH', 'YEAR']
const officers = ['COMPLIANCE_OFFICER'] as const

/** Times for which data is kept, what is held in spite of them, and receipts of what was removed. */
export const retentionAndHolds = migration(202611290110, 'retention-and-holds', [
  tenantTable({
    schema: 'compliance',
    table: 'legal_holds',
    columns: {
      hold_number: 'varchar(50) NOT NULL',
      name: 'varchar(200) NOT NULL',
      reason: 'varchar(2000) NOT NULL',
      status: `${oneOf('status', ['ACTIVE', 'RELEASE_PROPOSED', 'RELEASED'])} DEFAULT 'ACTIVE'`,
      placed_by_id: 'uuid NOT NULL',
      release_reason: 'varchar(2000)',
      release_proposed_by_id: 'uuid',
      released_by_id: 'uuid',
      released_at: 'timestamptz(3)',
    },
    unique: [['hold_number']],
    names: { hold_number: 'spelling' },
    checks: {
      hold_number: "hold_number <> ''",
      name: "name <> ''",
      proposed: "(status = 'ACTIVE') = (release_proposed_by_id IS NULL)",
      released:
        "(status = 'RELEASED') = (released_by_id IS NOT NULL) AND (status = 'RELEASED') = (released_at IS NOT NULL)",
      // Two persons, whatever the application does.
      released_by_id: 'released_by_id <> release_proposed_by_id',
    },
    references: {
      placed_by_id: { table: 'identity.users' },
      release_proposed_by_id: { table: 'identity.users' },
      released_by_id: { table: 'identity.users' },
    },
    indexes: [byLanguage('hold_number'), 'status, id', 'created_at, id'],
    grants: { app_compliance: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  constraintMessages('compliance.legal_holds', {
    legal_holds_hold_number_check: 'must not be empty',
    legal_holds_name_check: 'must not be empty',
    legal_holds_released_by_id_check: 'must not be who proposed the release',
  }),
  // Read by every subgraph in the transaction that removes something; written by compliance alone.
  tenantTable({
    schema: 'shared',
    table: 'held_subjects',
    without: ['version', 'updated_at'],
    columns: {
      hold_id: 'uuid NOT NULL',
      resource_type: 'varchar(100) NOT NULL',
      // Null for all rows of the type, those to come as well.
      resource_id: 'uuid',
      released_at: 'timestamptz(3)',
    },
    references: { hold_id: { table: 'compliance.legal_holds', index: 'hold_id, created_at, id' } },
    checks: { resource_type: "resource_type ~ '^[A-Z][A-Za-z]*$'" },
    indexes: [
      { columns: 'resource_type, resource_id', where: 'released_at IS NULL' },
      'created_at, id',
      byLanguage('resource_type'),
    ],
    grants: { ...grant(subgraphRoles, ['SELECT']), app_compliance: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  constraintMessages('shared.held_subjects', {
    held_subjects_resource_type_check: 'must be a type of this graph, such as Customer',
  }),
  // Locked for a share by what removes, and changed by what holds: one waits for the other.
  tenantTable({
    schema: 'shared',
    table: 'hold_guards',
    without: ['id', 'version', 'created_at', 'updated_at'],
    primaryKey: [],
    columns: { holds: 'int NOT NULL DEFAULT 0' },
    grants: grant(subgraphRoles, ['SELECT']),
  }),
  sql(`GRANT INSERT (holds), UPDATE (holds) ON shared.hold_guards TO ${subgraphRoles.join(', ')}`, []),

  tenantTable({
    schema: 'compliance',
    table: 'retention_policies',
    columns: {
      data_class: oneOf('data_class', classes),
      keep_for: 'int NOT NULL',
      unit: oneOf('unit', units),
      legal_basis: 'varchar(500)',
      status: `${oneOf('status', ['PROPOSED', 'APPROVED', 'WITHDRAWN'])} DEFAULT 'PROPOSED'`,
      effective_at: 'timestamptz(3)',
      proposed_by_id: 'uuid NOT NULL',
      approved_by_id: 'uuid',
    },
    checks: {
      keep_for: 'keep_for BETWEEN 1 AND 10000',
      approved:
        "(status = 'APPROVED') = (approved_by_id IS NOT NULL) AND (status = 'APPROVED') = (effective_at IS NOT NULL)",
      approved_by_id: 'approved_by_id <> proposed_by_id',
    },
    references: {
      proposed_by_id: { table: 'identity.users' },
      approved_by_id: { table: 'identity.users' },
    },
    indexes: ['data_class, id', 'status, id', 'created_at, id'],
    grants: { app_compliance: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  constraintMessages('compliance.retention_policies', {
    retention_policies_keep_for_check: 'must be between 1 and 10000',
    retention_policies_approved_by_id_check: 'must not be who proposed the policy',
  }),
  // What was approved, for every subgraph to go by. Never changed.
  tenantTable({
    schema: 'shared',
    table: 'retention_rules',
    without: ['version', 'updated_at'],
    columns: {
      data_class: oneOf('data_class', classes),
      keep_for: 'int NOT NULL',
      unit: oneOf('unit', units),
      effective_at: 'timestamptz(3) NOT NULL',
    },
    indexes: ['effective_at, id'],
    grants: { ...grant(subgraphRoles, ['SELECT']), app_compliance: ['SELECT', 'INSERT'] },
  }),
  tenantTable({
    schema: 'shared',
    table: 'retention_receipts',
    without: ['version', 'updated_at'],
    columns: {
      run_id: 'uuid NOT NULL',
      // From the role of the connection: no subgraph gives a receipt for another.
      subgraph: 'text NOT NULL DEFAULT substr(current_user, 5)',
      data_class: oneOf('data_class', classes),
      resource_type: 'varchar(100) NOT NULL',
      keep_for: 'int NOT NULL',
      unit: oneOf('unit', units),
      at: 'timestamptz(3) NOT NULL',
      removed: 'int NOT NULL',
      held: 'int NOT NULL',
      digest: 'varchar(100) NOT NULL',
    },
    checks: { removed: 'removed > 0', held: 'held >= 0' },
    indexes: ['created_at, id', 'run_id, id'],
    grants: { app_compliance: ['SELECT'] },
  }),
  sql(
    `GRANT INSERT (id, run_id, data_class, resource_type, keep_for, unit, at, removed, held, digest)
       ON shared.retention_receipts TO ${subgraphRoles.join(', ')}`,
    [],
  ),

  // The application may not delete records. This may, of the own tenant, and checks once more what the law demands.
  sql(
    [
      `CREATE FUNCTION compliance.remove_old_records(record_ids uuid[], instant timestamptz) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
  removed int;
BEGIN
  IF EXISTS (SELECT FROM compliance.compliance_records r WHERE r.tenant_id = own AND r.id = ANY (record_ids)
              AND (r.status NOT IN ('REJECTED', 'EXPIRED')
                OR (r.updated_at AT TIME ZONE 'UTC') + interval '7 years' > (instant AT TIME ZONE 'UTC'))) THEN
    RAISE EXCEPTION 'remove_old_records: a record is kept for seven years after it was decided';
  END IF;
  IF EXISTS (SELECT FROM compliance.compliance_records r JOIN shared.held_subjects h ON h.tenant_id = own
              WHERE r.tenant_id = own AND r.id = ANY (record_ids) AND h.released_at IS NULL
                AND (h.resource_type = 'ComplianceRecord' AND (h.resource_id IS NULL OR h.resource_id = r.id)
                  OR h.resource_type = 'Customer' AND h.resource_id = r.customer_id
                  OR h.resource_type = 'Employee' AND h.resource_id = r.employee_id)) THEN
    RAISE EXCEPTION 'remove_old_records: a record is held';
  END IF;
  DELETE FROM compliance.compliance_decisions d WHERE d.tenant_id = own AND d.record_id = ANY (record_ids);
  DELETE FROM compliance.screening_matches m WHERE m.tenant_id = own AND m.record_id = ANY (record_ids);
  DELETE FROM compliance.compliance_records r WHERE r.tenant_id = own AND r.id = ANY (record_ids);
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN removed;
END $$`,
      'REVOKE ALL ON FUNCTION compliance.remove_old_records(uuid[], timestamptz) FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION compliance.remove_old_records(uuid[], timestamptz) TO app_compliance',
      'GRANT DELETE ON compliance.security_alerts TO app_compliance',
    ],
    [
      'REVOKE DELETE ON compliance.security_alerts FROM app_compliance',
      'DROP FUNCTION compliance.remove_old_records(uuid[], timestamptz)',
    ],
  ),
  permissions({
    'compliance:hold:read': { allows: 'Read legal holds, and what they hold', roles: officers },
    'compliance:hold:write': {
      allows: 'Place legal holds, and release them together with somebody else',
      roles: officers,
    },
    'compliance:retention:read': {
      allows: 'Read how long data is kept, and what was removed',
      roles: officers,
    },
    'compliance:retention:write': {
      allows: 'Set how long data is kept, together with somebody else',
      roles: officers,
    },
  }),
])
