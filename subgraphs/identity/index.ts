import { subgraph } from '../../kernel/subgraph'
import { ApiKey } from './entities/ApiKey'
import { Credential } from './entities/Credential'
import { MfaDevice } from './entities/MfaDevice'
import { Permission } from './entities/Permission'
import { RefreshToken } from './entities/RefreshToken'
import { Role } from './entities/Role'
import { RoleAssignment } from './entities/RoleAssignment'
import { Session } from './entities/Session'
import { User } from './entities/User'
import { endedMails } from './jobs/ended-mails'
import { failureNoticesJob } from './jobs/failure-notices'
import { oldKeys } from './jobs/old-keys'
import { oldSessions } from './jobs/old-sessions'
import { personal } from './personal'
import { policies } from './policies'
import { apiKey } from './resolvers/ApiKey'
import { credential } from './resolvers/Credential'
import { mfaDevice } from './resolvers/MfaDevice'
import { operator } from './resolvers/Operator'
import { permission } from './resolvers/Permission'
import { role } from './resolvers/Role'
import { roleAssignment } from './resolvers/RoleAssignment'
import { session } from './resolvers/Session'
import { signInPolicy } from './resolvers/SignInPolicy'
import { user } from './resolvers/User'

export default subgraph('identity', {
  entities: [User, Role, Permission, RoleAssignment, Session, RefreshToken, ApiKey, MfaDevice, Credential],
  resolvers: [
    user,
    role,
    roleAssignment,
    permission,
    session,
    apiKey,
    mfaDevice,
    credential,
    signInPolicy,
    operator,
  ],
  policies,
  secrets: { User: ['mfaSecret'], MfaDevice: ['secret'] },
  erasable: ['User'],
  subjects: personal,
  jobs: [endedMails, oldSessions, oldKeys, failureNoticesJob],
  // Who may sign in, and by which name, is what the trail of an account is about.
  audited: {
    User: [
      'username',
      'kind',
      'status',
      'passwordChangeRequired',
      'lastLoginAt',
      'createdById',
      'updatedById',
    ],
  },
})
