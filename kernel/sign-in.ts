export { issueAccessToken } from './sign-in/access-token'
export { hashPassword, passwordFault, verifyPassword } from './sign-in/password'
export { revokeCachedSessions } from './sign-in/session-cache'
