import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { byLanguage, grant, migration, oneOf, sql, subgraphRoles, tenantTable } from './sql'
import { subgraphNames } from '../kernel/schema/subgraph-names'

const officers = ['COMPLIANCE_OFFICER'] as const
const users = [
  ...[
    'received_by_id',
    'verified_by_id',
    'collected_by_id',
    'approved_by_id',
    'fulfilled_by_id',
    'rejected_by_id',
  ],
] as const

/** Requests of people for their data, what subgraphs are asked for them, and what they answer. */
export const subjectRequests = migration(202611291300, 'subject-requests', [
  tenantTable({
    schema: 'compliance',
    table: 'data_subject_requests',
    columns: {
      request_number: 'varchar(50) NOT NULL',
      type: oneOf('type', [
        ...['ACCESS', 'ERASURE', 'RECTIFICATION', 'PORTABILITY', 'RESTRICTION', 'OBJECTION'],
      ]),
      status: `${oneOf('status', [
        ...['RECEIVED', 'VERIFIED', 'COLLECTING', 'REVIEW', 'FULFILLING', 'FULFILLED', 'REJECTED'],
      ])} DEFAULT 'RECEIVED'`,
      subject_type: oneOf('subject_type', ['CUSTOMER', 'EMPLOYEE', 'USER']),
      // Whom it is about: a person may be more than one of them.
      customer_id: 'uuid',
      employee_id: 'uuid',
      user_id: 'uuid',
      // Encrypted, with the request's own key: it goes with that.
      requester_email: 'text',
      received_at: 'timestamptz(3) NOT NULL',
      due_date: 'date NOT NULL',
      extended_to: 'date',
      extension_reason: 'varchar(2000)',
      verified_at: 'timestamptz(3)',
      verification: 'varchar(500)',
      // Whether the requester's address was on record of the person; null when nothing was.
      is_address_known: 'boolean',
      approved_at: 'timestamptz(3)',
      legal_ground: 'varchar(2000)',
      outcome: 'varchar(2000)',
      fulfilled_at: 'timestamptz(3)',
      ended_at: 'timestamptz(3)',
      task_id: 'uuid',
      answered: 'int NOT NULL DEFAULT 0',
      collected: 'jsonb',
      receipt: 'jsonb',
      // SHA-256 of the token, 256 random bits, in hexadecimal.
      export_hash: 'varchar(64)',
      export_expires_at: 'timestamptz(3)',
      downloaded_at: 'timestamptz(3)',
      shredded_at: 'timestamptz(3)',
      ...Object.fromEntries(users.map((column) => [column, 'uuid'])),
    },
    unique: [['request_number']],
    names: { request_number: 'spelling' },
    checks: {
      request_number: "request_number <> ''",
      extended_to: '(extended_to IS NULL) = (extension_reason IS NULL)',
      answered: 'answered >= 0',
      // Nothing is done for somebody who is not known to be who it is about, and nothing that nobody approved.
      verified_at: "verified_at IS NOT NULL OR status IN ('RECEIVED', 'REJECTED')",
      approved_at: "approved_at IS NOT NULL OR status NOT IN ('FULFILLING', 'FULFILLED')",
      // Two persons, whatever the application does.
      approved_by_id:
        'approved_by_id <> collected_by_id AND approved_by_id <> verified_by_id AND approved_by_id <> received_by_id',
      collected: "jsonb_typeof(collected) = 'object'",
      receipt: "jsonb_typeof(receipt) = 'object'",
      export_hash: "(export_hash IS NULL) = (export_expires_at IS NULL) AND export_hash ~ '^[0-9a-f]{64}$'",
    },
    references: {
      customer_id: { table: 'insights.customers' },
      employee_id: { table: 'hr.employees' },
      user_id: { table: 'identity.users' },
      ...Object.fromEntries(users.map((column) => [column, { table: 'identity.users' }])),
    },
    indexes: [
      byLanguage('request_number'),
      'due_date, id',
      'status, id',
      'type, id',
      'subject_type, id',
      'created_at, id',
      { columns: 'ended_at, id', where: 'shredded_at IS NULL AND ended_at IS NOT NULL' },
      // Small, and empty once all values are encrypted: whether there are any is asked at each start.
      {
        columns: 'id',
        where: "requester_email IS NOT NULL AND (requester_email LIKE 'enc1:%') IS NOT TRUE",
      },
    ],
    grants: { app_compliance: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] },
  }),
  constraintMessages('compliance.data_subject_requests', {
    data_subject_requests_request_number_check: 'must not be empty',
    data_subject_requests_approved_by_id_check:
      'must not be who noted it, verified the identity or collected the data',
  }),
  // What every subgraph is asked. Written by compliance alone, and never changed.
  tenantTable({
    schema: 'shared',
    table: 'subject_tasks',
    without: ['version', 'updated_at'],
    columns: {
      request_id: 'uuid NOT NULL',
      purpose: oneOf('purpose', ['COLLECT', 'ERASE']),
      customer_id: 'uuid',
      employee_id: 'uuid',
      user_id: 'uuid',
    },
    references: { request_id: { table: 'compliance.data_subject_requests', onDelete: 'CASCADE' } },
    grants: { ...grant(subgraphRoles, ['SELECT']), app_compliance: ['SELECT', 'INSERT'] },
  }),
  tenantTable({
    schema: 'shared',
    table: 'subject_answers',
    without: ['id', 'version', 'updated_at'],
    primaryKey: ['task_id', 'subgraph'],
    columns: {
      task_id: 'uuid NOT NULL',
      // From the role of the connection: no subgraph answers for another.
      subgraph: 'text NOT NULL DEFAULT substr(current_user, 5)',
      answers: 'jsonb NOT NULL',
    },
    checks: { answers: "jsonb_typeof(answers) = 'array'" },
    references: { task_id: { table: 'shared.subject_tasks', onDelete: 'CASCADE' } },
    grants: grant(subgraphRoles, ['SELECT']),
  }),
  sql(`GRANT INSERT (task_id, answers) ON shared.subject_answers TO ${subgraphRoles.join(', ')}`, []),

  // A subgraph asks nobody else to do anything. This has every one of them answer a task that compliance wrote, and nothing else.
  sql(
    [
      `CREATE FUNCTION shared.ask_subgraphs(task uuid, job_ids uuid[], due timestamptz) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
  asked int;
BEGIN
  IF NOT EXISTS (SELECT FROM shared.subject_tasks t WHERE t.tenant_id = own AND t.id = task) THEN
    RAISE EXCEPTION 'ask_subgraphs: there is no such task';
  END IF;
  INSERT INTO shared.jobs (tenant_id, id, subgraph, name, unique_key, payload, due_at, created_at)
    VALUES ${subgraphNames.map((name, place) => `(own, job_ids[${place + 1}], '${name}', 'subject-data', task::text, jsonb_build_object('taskId', task), due, due)`).join(', ')};
  GET DIAGNOSTICS asked = ROW_COUNT;
  RETURN asked;
END $$`,
      // Under a lock that lasts while an erasure does: the request cannot be rejected, or asked anew, in the middle of it.
      `CREATE FUNCTION shared.is_subject_task_awaited(task uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
  asked shared.subject_tasks;
BEGIN
  SELECT * INTO asked FROM shared.subject_tasks t WHERE t.tenant_id = own AND t.id = task;
  IF asked.purpose = 'ERASE' THEN
    PERFORM FROM compliance.data_subject_requests r WHERE r.tenant_id = own AND r.id = asked.request_id FOR SHARE;
  END IF;
  RETURN EXISTS (SELECT FROM compliance.data_subject_requests r WHERE r.tenant_id = own AND r.id = asked.request_id
    AND r.task_id = task AND r.status = CASE asked.purpose WHEN 'ERASE' THEN 'FULFILLING' ELSE 'COLLECTING' END);
END $$`,
      // What compliance must know of a person whom it does not see: who decides about themselves, and who is not who asked.
      `CREATE FUNCTION shared.person_facts(customer uuid, employee uuid, login uuid, address text) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
  employed uuid;
  addresses text[];
BEGIN
  SELECT e.user_id INTO employed FROM hr.employees e WHERE e.tenant_id = own AND e.id = employee;
  SELECT array_agg(lower(a.email)) INTO addresses FROM (
    SELECT u.email FROM identity.users u WHERE u.tenant_id = own AND u.id IN (login, employed)
    UNION ALL SELECT c.email FROM insights.customers c WHERE c.tenant_id = own AND c.id = customer) a WHERE a.email IS NOT NULL;
  RETURN jsonb_build_object('login', employed, 'isAddressKnown', lower(address) = ANY (addresses),
    'isService', EXISTS (SELECT FROM identity.users u WHERE u.tenant_id = own AND u.id = login AND u.kind = 'SERVICE'),
    'isActive', EXISTS (SELECT FROM identity.users u WHERE u.tenant_id = own AND u.id IN (login, employed) AND u.status = 'ACTIVE'));
END $$`,
      'REVOKE ALL ON FUNCTION shared.person_facts(uuid, uuid, uuid, text) FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION shared.person_facts(uuid, uuid, uuid, text) TO app_compliance',
      `CREATE FUNCTION shared.own_day(instant timestamptz) RETURNS date
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  RETURN (instant AT TIME ZONE coalesce((SELECT t.time_zone FROM tenancy.tenants t WHERE t.id = own), 'UTC'))::date;
END $$`,
      'REVOKE ALL ON FUNCTION shared.own_day(timestamptz) FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION shared.own_day(timestamptz) TO app_compliance',
      'REVOKE ALL ON FUNCTION shared.is_subject_task_awaited(uuid) FROM PUBLIC',
      `GRANT EXECUTE ON FUNCTION shared.is_subject_task_awaited(uuid) TO ${subgraphRoles.join(', ')}`,
      'REVOKE ALL ON FUNCTION shared.ask_subgraphs(uuid, uuid[], timestamptz) FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION shared.ask_subgraphs(uuid, uuid[], timestamptz) TO app_compliance',
      // What was encrypted with it is gone, in every copy that does not hold the key. Never the tenant's own.
      `CREATE FUNCTION shared.destroy_subject_key(subject uuid) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
  destroyed int;
BEGIN
  IF subject = '00000000-0000-0000-0000-000000000000' THEN
    RAISE EXCEPTION 'destroy_subject_key: that is the key of the tenant';
  END IF;
  IF EXISTS (SELECT FROM shared.held_subjects h
              WHERE h.tenant_id = own AND h.resource_id = subject AND h.released_at IS NULL) THEN
    RAISE EXCEPTION 'destroy_subject_key: it is held';
  END IF;
  UPDATE shared.data_keys k SET wrapped = NULL
   WHERE k.tenant_id = own AND k.subject_id = subject AND k.wrapped IS NOT NULL;
  GET DIAGNOSTICS destroyed = ROW_COUNT;
  RETURN destroyed;
END $$`,
      'REVOKE ALL ON FUNCTION shared.destroy_subject_key(uuid) FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION shared.destroy_subject_key(uuid) TO app_identity, app_compliance',
      // Runs as the owner: the application itself changes no interaction, whatever it is told.
      `CREATE FUNCTION shared.empty_interactions(interaction_ids uuid[]) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
  emptied int;
BEGIN
  UPDATE insights.customer_interactions i SET content = NULL, metadata = '{}'
   WHERE i.tenant_id = own AND i.id = ANY (interaction_ids);
  GET DIAGNOSTICS emptied = ROW_COUNT;
  RETURN emptied;
END $$`,
      'REVOKE ALL ON FUNCTION shared.empty_interactions(uuid[]) FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION shared.empty_interactions(uuid[]) TO app_insights',
    ],
    [
      'DROP FUNCTION shared.empty_interactions(uuid[])',
      'DROP FUNCTION shared.destroy_subject_key(uuid)',
      'DROP FUNCTION shared.own_day(timestamptz)',
      'DROP FUNCTION shared.person_facts(uuid, uuid, uuid, text)',
      'DROP FUNCTION shared.is_subject_task_awaited(uuid)',
      'DROP FUNCTION shared.ask_subgraphs(uuid, uuid[], timestamptz)',
    ],
  ),
  permissions({
    'compliance:subject:read': {
      allows: 'Read who asked for their data, and what came of it',
      roles: officers,
    },
    'compliance:subject:details': {
      allows: 'Read how people who asked for their data are reached',
      roles: officers,
      sensitive: true,
    },
    'compliance:subject:write': {
      allows: 'Work on requests of people for their data, without deciding them',
      roles: officers,
    },
    'compliance:subject:decide': {
      allows: 'Approve, fulfil and reject requests of people for their data',
      roles: officers,
    },
    'compliance:subject:export': {
      allows: 'Download what is about a person who asked for it',
      roles: officers,
    },
  }),
])
