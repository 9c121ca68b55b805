import { rowPolicy } from '../../kernel/policy'
import { CommissionRule } from './entities/CommissionRule'
import { SalesPerformance } from './entities/SalesPerformance'
import { SalesPerformanceLine } from './entities/SalesPerformanceLine'

/** The row rules that the schema names. */
export const policies = {
  /** Rules for more than one user, and one's own; all for those who write or approve them, or read everybody's performance. */
  'finance:own-or-general-rule': rowPolicy(
    CommissionRule,
    ['userId', 'isPersonal'],
    ({ userId, scopes }) =>
      ['finance:performance:read', 'finance:commission:write', 'finance:commission:approve'].some((scope) =>
        scopes.has(scope),
      )
        ? null
        : [{ isPersonal: false }, { userId }],
    { setOnce: true },
  ),
  /** One's own performance, that of the team one leads, or all for those who read everybody's. Who reads everybody's may change it. */
  'finance:own-or-team-performance': rowPolicy(
    SalesPerformance,
    ['userId', 'managerId'],
    (viewer) =>
      viewer.scopes.has('finance:performance:read')
        ? null
        : [{ userId: viewer.userId }, { managerId: viewer.userId }],
    { setOnce: true, writers: ['finance:performance:read'] },
  ),
  /** The same of the lines. */
  'finance:own-or-team-line': rowPolicy(
    SalesPerformanceLine,
    ['userId', 'managerId'],
    (viewer) =>
      viewer.scopes.has('finance:performance:read')
        ? null
        : [{ userId: viewer.userId }, { managerId: viewer.userId }],
    { setOnce: true },
  ),
}
