import { lookupFunction } from './lookup'
import { migration, subgraphRoles, tenantTable } from './sql'

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
    },
    references: {
      user_id: { table: 'identity.users', onDelete: 'CASCADE' },
      by_id: { table: 'identity.users', onDelete: 'CASCADE' },
    },
    indexes: ['entrusted_at'],
    grants: { app_identity: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] },
  }),

  // Why an account of the connection's tenant is no other person than those of `others`; null when it is one. `SERVICE`: it is no
  // person's. `HAND`: within 30 days one of them could let themselves into it, or, where they prepared what it decides about, it
  // into theirs, or a third into both; over however many accounts.
  lookupFunction({
    name: 'shared.hand_fault',
    parameters: 'deciding uuid, others uuid[], prepared boolean, instant timestamptz',
    returns: 'text',
    body: `
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  IF EXISTS (SELECT FROM identity.users u WHERE u.tenant_id = own AND u.id = deciding AND u.kind = 'SERVICE') THEN
    RETURN 'SERVICE';
  END IF;
  RETURN (
    WITH RECURSIVE hands AS (
      SELECT asked.id AS account, asked.id AS hand FROM unnest(array_append(others, deciding)) AS asked(id)
      UNION
      SELECT h.account, e.by_id FROM hands h
        JOIN identity.entrustments e ON e.tenant_id = own AND e.user_id = h.hand AND e.entrusted_at > instant - interval '30 days'
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
