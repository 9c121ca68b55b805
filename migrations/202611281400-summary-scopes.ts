import { permissions } from './permissions'
import { migration } from './sql'

/** Who is told what several people earn, or how they perform, together. */
export const summaryScopes = migration(202611281400, 'summary-scopes', [
  permissions({
    'hr:salary:summary': { allows: 'Read what several employees earn together', roles: ['HR_MANAGER'] },
    'hr:performance:summary': {
      allows: 'Read how several employees perform together',
      roles: ['HR_MANAGER'],
    },
  }),
])
