import { createHash } from 'node:crypto'
import type { SubgraphContext, Viewer } from '../../../kernel/context'
import { uuidv7 } from '../../../kernel/id'
import { networkOf, type HashingLane } from '../../../kernel/sign-in'
import { attemptLimits, delayMs } from '../rules/session-limits'

/**
 * The account an attempt is made on, as it was named: whether tenant and user exist plays no part, so attempts on unknown
 * ones are limited alike.
 */
export function accountKey(tenant: string, email: string): string {
  const hash = createHash('sha256').update(`${tenant}\n${email}`).digest('base64url')
  return `sign-in:account:${hash}`
}

/** Attempts that are limited together: so many are free within a day, and each further one waits longer than the last. */
export interface AttemptLine {
  key: string
  free: number
}

/**
 * The lines that an attempt on an account stands in. Those of strangers are of their network and of all strangers together;
 * a device that was in before has one of its own, which nobody else can spend.
 */
export function linesOf(context: SubgraphContext, account: string, device: string | null): AttemptLine[] {
  const { perPlace, ofStrangers } = attemptLimits
  if (device) return [{ key: `${account}:device:${device}`, free: perPlace.free }]
  return [
    { key: `${account}:network:${networkOf(context.clientIp)}`, free: perPlace.free },
    { key: `${account}:strangers`, free: ofStrangers.free },
  ]
}

/** The turn in which a password is looked at: a device that was in before does not wait for what strangers try. */
export function hashingLane(context: SubgraphContext, device: string | null): HashingLane {
  return device ? { known: `device ${device}` } : { stranger: networkOf(context.clientIp) }
}

/** The same of a viewer: tenants take turns. */
export const laneOfTenant = (tenantId: string): HashingLane => ({ known: `tenant ${tenantId}` })

/** The line of attempts to tell a password in a session: of whoever has the session. Nobody else can spend it. */
export function passwordLine({ tenantId, userId, sessionId }: Viewer): AttemptLine {
  return { key: `t:${tenantId}:password:${sessionId ?? userId}`, free: attemptLimits.perPlace.free }
}

/** Counts an attempt from the caller's network, on whatever, or a challenge that it asks for. Returns how many seconds to wait, or null to go on. */
export async function countNetwork(
  { services, clientIp }: SubgraphContext,
  what: 'network' | 'challenge' = 'network',
): Promise<number | null> {
  const { limit, windowMs } = attemptLimits[what]
  const key = `sign-in:${what}:${networkOf(clientIp)}`
  const { allowed, retryAfterMs } = await services.rateLimit.consume(key, limit, windowMs)
  return allowed ? null : seconds(retryAfterMs)
}

/** Counts an attempt in its lines, up to the first where it has to wait. Returns how many seconds, or null to go on. */
export async function countAttempt(
  context: SubgraphContext,
  lines: readonly AttemptLine[],
): Promise<number | null> {
  for (const line of lines) {
    const wait = await countInLine(context, line)
    if (wait !== null) return wait
  }
  return null
}

/**
 * Counts a code that is tried: on all second factors of a user together, or on a device that is to be confirmed. Who tries one
 * knows the password or has a session. Returns what `forgetAttempts` takes, and how many seconds to wait, or null to go on.
 */
export async function countCodes(
  context: SubgraphContext,
  tenantId: string,
  whose: string,
): Promise<{ codes: { key: string }; wait: number | null }> {
  const { rateLimit, keyValue } = context.services
  const { limit, windowMs } = attemptLimits.code
  const codes = { key: `t:${tenantId}:second-factor:${whose}` }
  const since = await sinceSuccess(keyValue, codes)
  const { allowed, retryAfterMs } = await rateLimit.consume(since, limit, windowMs)
  return { codes, wait: allowed ? null : seconds(retryAfterMs) }
}

/** After a success the attempts of these lines are counted anew. */
export async function forgetAttempts(
  context: SubgraphContext,
  lines: readonly { key: string }[],
): Promise<void> {
  const ttlMs = attemptLimits.rememberedMs
  for (const { key } of lines) await context.services.keyValue.set(`${key}:success`, uuidv7(), { ttlMs })
}

/** Counting comes before checking, so that attempts made in parallel are limited too. */
async function countInLine(
  { services: { keyValue, rateLimit, clock } }: SubgraphContext,
  line: AttemptLine,
): Promise<number | null> {
  const ttlMs = attemptLimits.rememberedMs
  const since = await sinceSuccess(keyValue, line)
  if ((await rateLimit.consume(since, line.free, ttlMs)).allowed) return null
  const [delayed, end] = ((await keyValue.get(`${since}:delayed`)) ?? '0 0').split(' ').map(Number) as [
    number,
    number,
  ]
  const now = clock.now().getTime()
  if (now < end) return seconds(end - now)
  const delay = delayMs(delayed)
  // Of attempts made at once one gets the turn.
  const isTurn = await keyValue.set(`${since}:turn:${delayed}`, '1', { ttlMs: delay, onlyIfAbsent: true })
  if (!isTurn) return seconds(delay)
  await keyValue.set(`${since}:delayed`, `${delayed + 1} ${now + delay}`, { ttlMs })
  return null
}

/** The key that attempts are counted under since the last success. */
async function sinceSuccess(
  keyValue: SubgraphContext['services']['keyValue'],
  { key }: { key: string },
): Promise<string> {
  return `${key}:${(await keyValue.get(`${key}:success`)) ?? ''}`
}

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000))
