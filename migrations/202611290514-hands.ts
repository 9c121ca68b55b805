import { lookupFunction } from './lookup'
import { migration, sql, subgraphRoles, tenantTable } from './sql'

/** Rows of who could let themselves into an account of somebody else: a second person is one whose account is in no such hand. */
export const hands = migration(202611290514, 'hands', [
  tenantTable({
    schema: 'identity',
    table: 'entrustments',
    without: ['id', 'version', 'created_at', 'updated_at'],
    primaryKey: ['user_id', 'by_id'],
    columns: {
      user_id: 'uuid NOT NULL',
      // Who made the account, handed its secret over, moved its address or ended its second factor, and when last.
      by_id: 'uuid NOT NULL',
      entrusted_at: 'timestamptz(3) NOT NULL',
      // Whether they chose the address: then the mailbox may be theirs, and a password that it chose says nothing.
      chose_address: 'boolean NOT NULL DEFAULT false',
    },
    references: {
      user_id: { table: 'identity.users', onDelete: 'CASCADE' },
      by_id: { table: 'identity.users', onDelete: 'CASCADE' },
    },
    indexes: ['entrusted_at'],
    grants: { app_identity: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] },
  }),

  // Who made users within 30 days the column knows; who rotated a key, the trail. A service account is in the hand of who made it, or
  // one of its keys that lives.
  sql(
    [
      `INSERT INTO identity.entrustments (tenant_id, user_id, by_id, entrusted_at)
       SELECT u.tenant_id, u.id, u.created_by_id, u.created_at FROM identity.users u
         JOIN identity.users m ON m.tenant_id = u.tenant_id AND m.id = u.created_by_id
        WHERE u.created_by_id <> u.id AND (u.kind = 'SERVICE' OR u.created_at > now() - interval '30 days')`,
      `INSERT INTO identity.entrustments (tenant_id, user_id, by_id, entrusted_at)
       SELECT k.tenant_id, k.owner_id, k.by_id, max(k.created_at)
         FROM (SELECT tenant_id, owner_id, created_by_id AS by_id, created_at, expires_at, revoked_at FROM identity.api_keys
               UNION ALL
               SELECT a.tenant_id, a.owner_id, l.actor_id, l.occurred_at, a.expires_at, a.revoked_at FROM identity.api_keys a
                 JOIN shared.audit_logs l ON l.tenant_id = a.tenant_id AND l.resource_type = 'ApiKey' AND l.resource_id = a.id::text
                  AND l.action = 'UPDATE') k
         JOIN identity.users u ON u.tenant_id = k.tenant_id AND u.id = k.owner_id AND u.kind = 'SERVICE'
         JOIN identity.users m ON m.tenant_id = k.tenant_id AND m.id = k.by_id
        WHERE k.by_id <> k.owner_id AND k.revoked_at IS NULL AND k.expires_at > now()
        GROUP BY 1, 2, 3 ON CONFLICT DO NOTHING`,
    ],
    [],
  ),

  // Why an account of the connection's tenant is no other person than those of `others`; null when it is one. `SERVICE`: it is no
  // person's, and it is no mere record. `HAND`: within 30 days one of them could let themselves into it, or, where they prepared what
  // it decides about, it into theirs, or a third into both; over however many accounts. Whoever made a service account, or a key of
  // one, has a way in without an end.
  lookupFunction({
    name: 'shared.hand_fault',
    parameters: 'deciding uuid, others uuid[], prepared boolean, recorded boolean, instant timestamptz',
    returns: 'text',
    body: `
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  IF NOT recorded AND EXISTS (SELECT FROM identity.users u WHERE u.tenant_id = own AND u.id = deciding AND u.kind = 'SERVICE') THEN
    RETURN 'SERVICE';
  END IF;
  RETURN (
    WITH RECURSIVE hands AS (
      SELECT asked.id AS account, asked.id AS hand FROM unnest(array_append(others, deciding)) AS asked(id)
      UNION
      SELECT h.account, e.by_id FROM hands h
        JOIN identity.users u ON u.tenant_id = own AND u.id = h.hand
        JOIN identity.entrustments e ON e.tenant_id = own AND e.user_id = h.hand
         AND (u.kind = 'SERVICE' OR e.entrusted_at > instant - interval '30 days')
    )
    SELECT 'HAND' FROM hands mine JOIN hands theirs ON theirs.account = ANY (others) AND theirs.hand = mine.hand
     WHERE mine.account = deciding AND (prepared OR theirs.hand = theirs.account) LIMIT 1);
END`,
    reads: {
      'identity.users': ['tenant_id', 'id', 'kind'],
      'identity.entrustments': ['tenant_id', 'user_id', 'by_id', 'entrusted_at'],
    },
    callers: subgraphRoles,
  }),
])
