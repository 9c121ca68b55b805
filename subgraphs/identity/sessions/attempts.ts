import { createHash } from 'node:crypto'
import type { SubgraphContext } from '../../../kernel/context'
import { uuidv7 } from '../../../kernel/id'
import { networkOf } from '../../../kernel/sign-in'
import { attemptLimits } from '../rules/session-limits'

/** The account an attempt is made on, whether or not it exists: attempts on unknown ones are limited alike. */
export function accountKey(tenant: string, email: string): string {
  const hash = createHash('sha256').update(email).digest('base64url')
  return `t:${tenant}:sign-in:${hash}`
}

/** Counts an attempt from the caller's network. Returns how many seconds to wait, or null to go on. */
export function countNetwork(context: SubgraphContext): Promise<number | null> {
  return count(context, `sign-in:network:${networkOf(context.clientIp)}`, attemptLimits.network)
}

/** Counts an attempt on an account. Returns how many seconds to wait, or null to go on. */
export async function countAccount(
  context: SubgraphContext,
  account: string,
  limits: { limit: number; windowMs: number } = attemptLimits.account,
): Promise<number | null> {
  const since = await context.services.keyValue.get(`${account}:success`)
  return count(context, `${account}:${since ?? ''}`, limits)
}

/**
 * Counts a code that is tried: on all second factors of a user together, or on a device that is to be confirmed. Returns what
 * `forgetAttempts` takes, and how many seconds to wait, or null to go on.
 */
export async function countCodes(
  context: SubgraphContext,
  tenantId: string,
  whose: string,
): Promise<{ account: string; wait: number | null }> {
  const account = `t:${tenantId}:second-factor:${whose}`
  return { account, wait: await countAccount(context, account, attemptLimits.code) }
}

/** After a success the account's attempts are counted anew. */
export async function forgetAttempts(context: SubgraphContext, account: string): Promise<void> {
  const ttlMs = attemptLimits.account.windowMs
  await context.services.keyValue.set(`${account}:success`, uuidv7(), { ttlMs })
}

/** Counting comes before checking, so that attempts made in parallel are limited too. */
async function count(
  { services }: SubgraphContext,
  key: string,
  { limit, windowMs }: { limit: number; windowMs: number },
): Promise<number | null> {
  const { allowed, retryAfterMs } = await services.rateLimit.consume(key, limit, windowMs)
  return allowed ? null : Math.max(1, Math.ceil(retryAfterMs / 1000))
}
