import { addColumns, migration, sql } from './sql'

const purposes = (...values: string[]) =>
  `ALTER TABLE shared.subject_tasks ADD CONSTRAINT subject_tasks_purpose_check CHECK (purpose IN (${values.map((value) => `'${value}'`).join(', ')}))`
const dropPurposes = 'ALTER TABLE shared.subject_tasks DROP CONSTRAINT subject_tasks_purpose_check'

const isAwaited = (
  status: string,
) => `CREATE OR REPLACE FUNCTION shared.is_subject_task_awaited(task uuid) RETURNS boolean
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
    AND r.task_id = task AND ${status});
END $$`

const personFacts = (
  logins: boolean,
) => `CREATE OR REPLACE FUNCTION shared.person_facts(customer uuid, employee uuid, login uuid, address text) RETURNS jsonb
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
  RETURN jsonb_build_object('login', employed, 'isAddressKnown', lower(address) = ANY (addresses),${
    logins
      ? `
    'employee', (SELECT e.id FROM hr.employees e WHERE e.tenant_id = own AND e.user_id = login),`
      : ''
  }
    'isService', EXISTS (SELECT FROM identity.users u WHERE u.tenant_id = own AND u.id ${logins ? 'IN (login, employed)' : '= login'} AND u.kind = 'SERVICE'),
    'isActive', EXISTS (SELECT FROM identity.users u WHERE u.tenant_id = own AND u.id IN (login, employed) AND u.status = 'ACTIVE'));
END $$`

/** Later passes for what an erasure had to leave; who asks as an employee asks as a login too; public holidays; mails and parts. */
export const laterPasses = migration(202611291310, 'later-passes', [
  addColumns(
    'compliance.data_subject_requests',
    {
      last_pass_at: 'timestamptz(3)',
      next_pass_at: 'timestamptz(3)',
      is_held: 'boolean NOT NULL DEFAULT false',
      downloaded_parts:
        'int NOT NULL DEFAULT 0 CONSTRAINT data_subject_requests_downloaded_parts_check CHECK (downloaded_parts >= 0)',
    },
    {},
    [
      { columns: 'next_pass_at', where: 'next_pass_at IS NOT NULL' },
      { columns: 'last_pass_at', where: 'is_held' },
    ],
  ),
  addColumns('shared.subject_tasks', { asked_at: 'timestamptz(3)', made_until: 'timestamptz(3)' }),
  sql(
    [
      'UPDATE shared.subject_tasks SET asked_at = created_at',
      'ALTER TABLE shared.subject_tasks ALTER COLUMN asked_at SET NOT NULL',
      dropPurposes,
      purposes('COLLECT', 'PORT', 'ERASE'),
      isAwaited(
        "CASE asked.purpose WHEN 'ERASE' THEN r.status IN ('FULFILLING', 'FULFILLED') ELSE r.status = 'COLLECTING' END",
      ),
      personFacts(true),
      // Public ones, of the country and for all or by the calendar of whoever has no other; days off of the tenant's own are not.
      `CREATE FUNCTION shared.public_holidays(first date) RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  RETURN (SELECT coalesce(array_agg(DISTINCT h.day::text), '{}') FROM hr.holidays h
    LEFT JOIN hr.work_calendars c ON c.tenant_id = own AND c.id = h.calendar_id
   WHERE h.tenant_id = own AND h.day BETWEEN first AND first + 60 AND h.half = 'FULL' AND h.country_code IS NOT NULL
     AND (h.calendar_id IS NULL OR c.is_default));
END $$`,
      'REVOKE ALL ON FUNCTION shared.public_holidays(date) FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION shared.public_holidays(date) TO app_compliance',
      'GRANT EXECUTE ON FUNCTION shared.tenant_name() TO app_compliance',
    ],
    [
      'REVOKE EXECUTE ON FUNCTION shared.tenant_name() FROM app_compliance',
      'DROP FUNCTION shared.public_holidays(date)',
      personFacts(false),
      isAwaited("r.status = CASE asked.purpose WHEN 'ERASE' THEN 'FULFILLING' ELSE 'COLLECTING' END"),
      dropPurposes,
      "UPDATE shared.subject_tasks SET purpose = 'COLLECT' WHERE purpose = 'PORT'",
      purposes('COLLECT', 'ERASE'),
    ],
  ),
])
