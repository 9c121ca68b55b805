import { lookupFunction } from './lookup'
import { grant, migration, oneOf, sql, subgraphRoles, tenantTable } from './sql'

/** The outbox of mails: written with the change that they tell of, sent by identity, emptied when they are sent. */
export const mails = migration(202611281313, 'mails', [
  tenantTable({
    schema: 'shared',
    table: 'mails',
    without: ['version', 'updated_at'],
    columns: {
      kind: "varchar(100) NOT NULL CHECK (kind <> '')",
      status: `${oneOf('status', ['WAITING', 'SENT', 'FAILED'])} DEFAULT 'WAITING'`,
      // The whole mail, recipient included, under a key that the database does not have (kernel/mail/seal.ts).
      sealed: 'text',
      due_at: 'timestamptz(3)',
      attempts: 'int NOT NULL DEFAULT 0 CHECK (attempts >= 0)',
      ended_at: 'timestamptz(3)',
      failure: 'text CHECK (length(failure) <= 200)',
    },
    checks: {
      waiting: "(status = 'WAITING') = (due_at IS NOT NULL) AND (ended_at IS NULL OR status <> 'WAITING')",
      sealed: '(sealed IS NULL) = (due_at IS NULL)',
    },
    indexes: [{ columns: 'due_at', where: 'due_at IS NOT NULL' }],
    grants: { ...grant(subgraphRoles, ['INSERT']), app_identity: ['SELECT', 'INSERT', 'UPDATE'] },
  }),

  // Whose mails wait: sending goes tenant by tenant.
  lookupFunction({
    name: 'shared.tenants_with_due_mail',
    parameters: 'instant timestamptz, most int',
    returns: 'SETOF uuid',
    rows: 10,
    body: `
BEGIN
  RETURN QUERY SELECT m.tenant_id FROM shared.mails m WHERE m.due_at <= instant
    GROUP BY m.tenant_id ORDER BY min(m.due_at) LIMIT least(most, 1000);
END`,
    reads: { 'shared.mails': ['tenant_id', 'due_at'] },
    callers: ['app_identity'],
  }),

  // The name of the connection's tenant, for what people outside of it read. Identity has no way into tenancy.
  lookupFunction({
    name: 'shared.tenant_name',
    parameters: '',
    returns: 'text',
    body: `
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  RETURN (SELECT t.name FROM tenancy.tenants t WHERE t.id = own);
END`,
    reads: { 'tenancy.tenants': ['id', 'name'] },
    callers: ['app_identity'],
  }),

  // Runs as the owner, over all tenants: nobody else deletes mails.
  sql(
    [
      `CREATE FUNCTION shared.remove_mails(ended_before timestamptz) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  removed int;
BEGIN
  IF ended_before > now() - interval '1 day' THEN
    RAISE EXCEPTION 'remove_mails: a mail is kept for a day at least after its end';
  END IF;
  DELETE FROM shared.mails WHERE due_at IS NULL AND created_at < ended_before;
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN removed;
END $$`,
      'REVOKE ALL ON FUNCTION shared.remove_mails(timestamptz) FROM PUBLIC',
      'GRANT EXECUTE ON FUNCTION shared.remove_mails(timestamptz) TO app_identity',
    ],
    'DROP FUNCTION shared.remove_mails(timestamptz)',
  ),
])
