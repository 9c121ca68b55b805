import { fieldPolicy, rowPolicy } from '../../kernel/policy'
import { ApiKey } from './entities/ApiKey'
import { Credential } from './entities/Credential'
import { MfaDevice } from './entities/MfaDevice'
import { Session } from './entities/Session'
import { User } from './entities/User'

/** The row rules that the schema names. */
export const policies = {
  /** One's own account, or anybody's for those who look after users. */
  'identity:self-or-user-reader': fieldPolicy(
    User,
    ['id'],
    (viewer, user) => user.id === viewer.userId || viewer.scopes.has('identity:user:read'),
  ),
  /** Holds what oneself may do, or anybody for those who look after roles. */
  'identity:self-or-role-reader': fieldPolicy(
    User,
    ['id'],
    (viewer, user) => user.id === viewer.userId || viewer.scopes.has('identity:role:read'),
  ),
  /** One's own sessions, or anybody's for those who watch over them. */
  'identity:own-session-or-session-reader': rowPolicy(
    Session,
    ['userId'],
    ({ userId, scopes }) => (scopes.has('identity:session:read') ? null : [{ userId }]),
    { setOnce: true },
  ),
  /** One's own second factors, or anybody's for those who watch over sign-ins. */
  'identity:own-device-or-session-reader': rowPolicy(
    MfaDevice,
    ['userId'],
    ({ userId, scopes }) => (scopes.has('identity:session:read') ? null : [{ userId }]),
    { setOnce: true },
  ),
  /** One's own passkeys, or anybody's for those who watch over sign-ins. */
  'identity:own-credential-or-session-reader': rowPolicy(
    Credential,
    ['userId'],
    ({ userId, scopes }) => (scopes.has('identity:session:read') ? null : [{ userId }]),
    { setOnce: true },
  ),
  /** A user's sessions and second factors, for the user and for those who watch over sessions. */
  'identity:self-or-session-reader': fieldPolicy(
    User,
    ['id'],
    (viewer, user) => user.id === viewer.userId || viewer.scopes.has('identity:session:read'),
  ),
  /** One's own keys, or anybody's for those who watch over them. */
  'identity:own-key-or-key-reader': rowPolicy(
    ApiKey,
    ['ownerId'],
    ({ userId, scopes }) => (scopes.has('identity:key:read') ? null : [{ ownerId: userId }]),
    { setOnce: true },
  ),
  /** A user's keys, for the user and for those who watch over keys. */
  'identity:self-or-key-reader': fieldPolicy(
    User,
    ['id'],
    (viewer, user) => user.id === viewer.userId || viewer.scopes.has('identity:key:read'),
  ),
}
