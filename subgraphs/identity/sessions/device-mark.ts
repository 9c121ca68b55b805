import { createHmac, timingSafeEqual } from 'node:crypto'
import type { SubgraphContext } from '../../../kernel/context'
import { isUuid, uuidv7 } from '../../../kernel/id'
import { deviceMarkMs } from '../rules/session-limits'
import { derivedKey } from './derived-key'

/**
 * The mark of a device that signed in to an account, for the client to keep and to send again: `<device>.<end>.<code>`. The code
 * is HMAC-SHA-256 of device, end and account under a key that follows from the one that signs access tokens, so a mark is
 * good for its account alone, nobody else can make one, and nothing is stored. It lets nobody in: it keeps a door to try the
 * password at, whatever strangers do to the account. Exchanging the signing key makes all of them void, which costs no more
 * than that door.
 */
export function newDeviceMark(context: SubgraphContext, account: string, device: string | null): string {
  const now = context.services.clock.now().getTime()
  const content = `${device ?? uuidv7(now)}.${(now + deviceMarkMs).toString(36)}`
  return `${content}.${codeOf(context, content, account).toString('base64url')}`
}

/** The device of a mark, when it was given for this account and has not ended; null for anything else. */
export function deviceOf(context: SubgraphContext, account: string, mark: string): string | null {
  const [, device = '', end = '', code = ''] =
    /^([\da-f-]{36})\.([\da-z]{8,9})\.([\w-]{43})$/.exec(mark) ?? []
  if (!isUuid(device) || context.services.clock.now().getTime() >= Number.parseInt(end, 36)) return null
  const isOurs = timingSafeEqual(Buffer.from(code, 'base64url'), codeOf(context, `${device}.${end}`, account))
  return isOurs ? device : null
}

function codeOf(context: SubgraphContext, content: string, account: string): Buffer {
  return createHmac('sha256', derivedKey(context, 'tenantgraph device mark 1'))
    .update(`${content} ${account}`)
    .digest()
}
