export { networkOf } from './process/network-address'
export { normalEmail } from './schema/text'
export { issueAccessToken } from './sign-in/access-token'
export { apiKeyPrefix, formatApiKey, hashKeySecret, newKeySecret } from './sign-in/api-key'
export type { HashingLane } from './sign-in/hashing-queue'
export { isNetwork } from './sign-in/networks'
export { unwrapFactor, wrapFactor } from './sign-in/operator-factor'
export { issueOperatorToken } from './sign-in/operator-token'
export {
  assertRoomForPassword,
  digestOf,
  hashPassword,
  hashWithSalt,
  isHashOutdated,
} from './sign-in/password'
export { passwordForm, saltOf, verifyPassword } from './sign-in/password'
export { revokeCachedSessions } from './sign-in/session-cache'
export { provedUntil, requireStepUp } from './sign-in/step-up'
