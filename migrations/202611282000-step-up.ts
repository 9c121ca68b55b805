import { lookupFunction } from './lookup'
import { migration, sql } from './sql'

/** When the user of a session last proved who they are in it. */
export const stepUp = migration(202611282000, 'step-up', [
  sql(
    // Null in those that began before: their users prove themselves again.
    'ALTER TABLE identity.sessions ADD COLUMN proved_at timestamptz(3)',
    'ALTER TABLE identity.sessions DROP COLUMN proved_at',
  ),

  // Beside `session_viewer`, which says whether the session counts at all.
  lookupFunction({
    name: 'shared.session_proved_at',
    parameters: 'session uuid',
    returns: 'timestamptz',
    body: `
DECLARE
  own constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  RETURN (SELECT s.proved_at FROM identity.sessions s WHERE s.tenant_id = own AND s.id = session);
END`,
    reads: { 'identity.sessions': ['tenant_id', 'id', 'proved_at'] },
    callers: ['app_gateway'],
  }),
])
