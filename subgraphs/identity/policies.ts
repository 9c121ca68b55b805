import { fieldPolicy } from '../../kernel/policy'
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
}
