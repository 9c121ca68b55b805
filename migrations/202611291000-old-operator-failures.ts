import { migration, sql } from './sql'

/**
 * Failed sign-ins of operators are kept for 90 days by the clock of the database. All else of the platform's trail stays, and nobody
 * removes any of it: the function runs as the owner, and takes nothing that says what.
 */
export const oldOperatorFailures = migration(202611291000, 'old-operator-failures', [
  sql(
    [
      `CREATE FUNCTION tenancy.remove_old_operator_failures() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM shared.platform_actions a WHERE a.action = 'SIGN_IN_FAILED' AND a.occurred_at <= now() - interval '90 days';
END $$`,
      'REVOKE ALL ON FUNCTION tenancy.remove_old_operator_failures() FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION tenancy.remove_old_operator_failures() TO app_tenancy',
    ],
    'DROP FUNCTION tenancy.remove_old_operator_failures()',
  ),
])
