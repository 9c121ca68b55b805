export { normalEmail } from './schema/text'
export { issueAccessToken } from './sign-in/access-token'
export { assertRoomForPassword, hashPassword, passwordFault, verifyPassword } from './sign-in/password'
export { revokeCachedSessions } from './sign-in/session-cache'
