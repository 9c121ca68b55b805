import { lookupFunction } from './lookup'
import { migration } from './sql'

/**
 * Which of these users the connection's tenant has. The audit trail outlives users, so it refers to them by no foreign
 * key, and the subgraph that shows it has no way into identity.
 */
export const knownUsers = migration(202611281340, 'known-users', [
  lookupFunction({
    name: 'shared.known_users',
    parameters: 'of_users uuid[]',
    returns: 'SETOF uuid',
    rows: 20,
    body: `
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  RETURN QUERY SELECT u.id FROM identity.users u WHERE u.tenant_id = own AND u.id = ANY (of_users);
END`,
    reads: { 'identity.users': ['tenant_id', 'id'] },
    callers: ['app_compliance'],
  }),
])
