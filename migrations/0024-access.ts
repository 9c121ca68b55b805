import { lookupFunction } from './lookup'
import { permissions } from './permissions'
import { migration, sql, type Step } from './sql'

/**
 * Whether a session of the connection's tenant is alive, and what its user may do now. As before, it notes the use of
 * the session at most once a minute.
 * @param further columns of the user that it tells besides, with their types
 */
function sessionViewer(further: Readonly<Record<string, string>>): Step {
  const columns = Object.keys(further)
  return lookupFunction({
    name: 'shared.session_viewer',
    parameters: 'session uuid, instant timestamptz',
    returns: `TABLE (${['user_id uuid', 'permission_version int', 'scopes text[]', ...columns.map((column) => `${column} ${further[column]}`)].join(', ')})`,
    volatility: 'VOLATILE',
    rows: 1,
    body: `
  WITH live AS (
    SELECT ${['s.tenant_id', 's.id', 's.last_seen_at', 'u.id AS user_id', 'u.permission_version', ...columns.map((column) => `u.${column}`)].join(', ')}
      FROM identity.sessions s
      JOIN identity.users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id AND u.status = 'ACTIVE'
      JOIN tenancy.tenants t ON t.id = s.tenant_id AND t.status = 'ACTIVE'
     WHERE s.tenant_id = current_setting('app.tenant_id')::uuid AND s.id = session
       AND s.revoked_at IS NULL AND s.expires_at > instant AND s.last_seen_at > instant - interval '30 minutes'
  ), seen AS (
    UPDATE identity.sessions s SET last_seen_at = instant FROM live
     WHERE s.tenant_id = live.tenant_id AND s.id = live.id AND s.last_seen_at <= instant - interval '1 minute'
  )
  SELECT ${['live.user_id', 'live.permission_version', 'identity.effective_permissions(live.user_id)', ...columns.map((column) => `live.${column}`)].join(', ')} FROM live`,
    reads: {
      'tenancy.tenants': ['id', 'status'],
      'identity.users': [
        ...['tenant_id', 'id', 'status', 'permission_version', 'granted_permissions'],
        ...columns,
      ],
      'identity.roles': ['tenant_id', 'id', 'permissions'],
      'identity.role_assignments': ['tenant_id', 'user_id', 'role_id'],
      'identity.sessions': ['tenant_id', 'id', 'user_id', 'last_seen_at', 'expires_at', 'revoked_at'],
    },
    writes: { 'identity.sessions': ['last_seen_at'] },
    callers: ['app_gateway', 'app_identity'],
  })
}

const former = sessionViewer({})
const present = sessionViewer({ password_change_required: 'boolean' })

/**
 * The session look-up tells as well whether the user must change the password before anything else; and scopes for what
 * a compliance record says apart from that it is there, and for the link by which a login sees an employee's pay.
 */
export const access = migration(24, 'access', [
  sql([...former.down, ...present.up], [...present.down, ...former.up]),
  permissions({
    'compliance:record:details': {
      allows: 'Read what compliance checks found',
      roles: ['COMPLIANCE_OFFICER'],
    },
    'hr:employee:link': {
      allows: 'Say which login belongs to which employee: that login sees the salary of the employee',
      roles: ['HR_MANAGER'],
    },
  }),
])
