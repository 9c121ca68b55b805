import { migration, sql, tenantTable } from './sql'

const mailInTheWay = (counted: string) => `
CREATE OR REPLACE FUNCTION shared.mail_in_the_way(recipients text[], since timestamptz, most_of_one int, most_of_all int)
  RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $body$
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('shared.mails ' || own, 0));
  RETURN (
    SELECT max(instant) FROM (
      SELECT (SELECT m.created_at FROM shared.mails m
               WHERE m.tenant_id = own AND m.created_at > since AND m.recipient = asked.recipient
               ORDER BY m.created_at DESC OFFSET greatest(most_of_one - asked.many, 0) LIMIT 1) AS instant
        FROM (SELECT r AS recipient, count(*) AS many FROM unnest(recipients) r GROUP BY r) asked
      UNION ALL
      (SELECT m.created_at FROM shared.mails m WHERE m.tenant_id = own AND m.created_at > since${counted}
        ORDER BY m.created_at DESC OFFSET greatest(most_of_all - cardinality(recipients), 0) LIMIT 1)
    ) AS limits);
END$body$`

/** Requests for another password in place of a forgotten one; mails that count in no limit of the outbox. */
export const passwordResets = migration(202611290400, 'password-resets', [
  tenantTable({
    schema: 'identity',
    table: 'password_resets',
    without: ['version', 'updated_at'],
    columns: {
      user_id: 'uuid NOT NULL',
      // SHA-256 of the token's secret, 256 random bits, and the address that it was mailed to, in hexadecimal.
      secret_hash: "text NOT NULL CHECK (secret_hash ~ '^[0-9a-f]{64}$')",
      // Of the user when it was asked for: what changed meanwhile ends it.
      permission_version: 'int NOT NULL',
      expires_at: 'timestamptz(3) NOT NULL',
    },
    references: { user_id: { table: 'identity.users', onDelete: 'CASCADE' } },
    indexes: ['expires_at'],
    grants: { app_identity: ['SELECT', 'INSERT', 'DELETE'] },
  }),
  // Mails with a limit of their own have no recipient here: a stranger who asks for many holds up nobody's invitations.
  sql(mailInTheWay(' AND m.recipient IS NOT NULL'), mailInTheWay('')),
])
