import { lookupFunction } from './lookup'
import { migration, sql, subgraphRoles } from './sql'

/** Whom mails go to, unreadable, so that those of one recipient and of one tenant can be counted. */
export const mailLimits = migration(202611281815, 'mail-limits', [
  sql(
    [
      // A digest under a key that the database does not have (kernel/mail/seal.ts). Mails of before have none.
      'ALTER TABLE shared.mails ADD COLUMN recipient varchar(43)',
      'CREATE INDEX ON shared.mails (tenant_id, created_at)',
    ],
    'ALTER TABLE shared.mails DROP COLUMN recipient; DROP INDEX shared.mails_tenant_id_created_at_idx',
  ),

  // Who writes mails reads none. Writers of one tenant come one after the other, each sees the mails of those before; the lock
  // is the last thing that a transaction waits for.
  lookupFunction({
    name: 'shared.mail_in_the_way',
    parameters: 'recipients text[], since timestamptz, most_of_one int, most_of_all int',
    returns: 'timestamptz',
    volatility: 'VOLATILE',
    body: `
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
      (SELECT m.created_at FROM shared.mails m WHERE m.tenant_id = own AND m.created_at > since
        ORDER BY m.created_at DESC OFFSET greatest(most_of_all - cardinality(recipients), 0) LIMIT 1)
    ) AS limits);
END`,
    reads: { 'shared.mails': ['tenant_id', 'created_at', 'recipient'] },
    callers: subgraphRoles,
  }),
])
