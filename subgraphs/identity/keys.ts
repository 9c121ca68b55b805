import type { SubgraphContext } from '../../kernel/context'
import { unauthenticated, userError, type UserError } from '../../kernel/errors'
import { uuidv7 } from '../../kernel/id'
import { mutate, type MutationTransaction } from '../../kernel/mutate'
import {
  apiKeyPrefix,
  formatApiKey,
  hashKeySecret,
  isNetwork,
  newKeySecret,
  revokeCachedSessions,
} from '../../kernel/sign-in'
import { prepared } from '../../kernel/statement'
import { findUser, requireAuthorityOver, requireHeld, requireKnown } from './authority'
import { ApiKey } from './entities/ApiKey'
import type { User } from './entities/User'
import type { CreateApiKeyInput, IdentityUserErrorCode, RotateApiKeyInput } from './generated'
import { entrust } from './sessions/invitation'
import { expiryFault, inPersonScopes, isUsable, longestOverlapMs } from './rules/api-keys'
import { notHeld } from './rules/permissions'

type Tx = MutationTransaction<IdentityUserErrorCode>
type Told<T> = Promise<Partial<T> & { userErrors: UserError<IdentityUserErrorCode>[] }>

/** A new secret: what the key's row keeps of it, and the key for whoever asked, who sees it once. */
function newSecret(context: SubgraphContext, keyId: string) {
  const secret = newKeySecret()
  const environment = context.services.config.nodeEnv === 'production' ? 'live' : 'test'
  const key = formatApiKey(environment, { tenantId: context.binding.tenantId!, keyId, secret })
  return { key, kept: { secretHash: hashKeySecret(secret), keyPrefix: apiKeyPrefix(key) } }
}

/** Makes a key of the viewer's own or of a service account, with no more rights than maker and owner have. */
export function createApiKey(
  context: SubgraphContext,
  input: CreateApiKeyInput,
): Told<{ apiKey: ApiKey; secret: string }> {
  return mutate(context, async (tx: Tx) => {
    const { name, ownerId, expiresAt, rateLimit } = input
    const owner = await findOwner(context, tx, ownerId ?? null, 'ownerId')
    const fault = expiryFault(expiresAt, context.services.clock.now())
    if (fault) tx.fail('INVALID', fault, 'expiresAt')
    const allowedNetworks = [...(input.allowedNetworks ?? [])]
    const place = allowedNetworks.findIndex((text) => !isNetwork(text))
    if (place >= 0)
      throw userError('INVALID', notNetwork(allowedNetworks[place]!), ['allowedNetworks', String(place)])
    const scopes = await grantable(context, tx, owner.id, input.scopes)
    const id = uuidv7(context.services.clock.now().getTime())
    const { key, kept } = newSecret(context, id)
    const values = { id, ownerId: owner.id, name, scopes, expiresAt, rateLimit, allowedNetworks, ...kept }
    await entrust(context, tx, owner.id)
    return { apiKey: await tx.insert(ApiKey, values), secret: key }
  })
}

const notNetwork = (text: string): string =>
  `"${text.slice(0, 50)}" is no network: write an address or CIDR, such as 192.0.2.0/24`

/** The user whose key it shall be, locked: the viewer, or a service account over which the viewer has authority. */
async function findOwner(
  context: SubgraphContext,
  tx: Tx,
  ownerId: string | null,
  field: string,
): Promise<User> {
  const { viewer } = context
  if (!viewer) throw unauthenticated()
  const owner = await findUser(context, tx, ownerId ?? viewer.userId, field)
  if (owner.id === viewer.userId) return owner
  // Whoever makes a key sees its secret, and could act as its owner.
  if (owner.kind !== 'SERVICE') tx.fail('NOT_SERVICE', 'People make their own keys', field)
  await requireAuthorityOver(context, tx, owner.id, field)
  return owner
}

/** These permissions, sorted; fails unless maker and owner hold them, and a key may. */
async function grantable(
  context: SubgraphContext,
  tx: Tx,
  ownerId: string,
  names: readonly string[],
): Promise<string[]> {
  const scopes = await requireKnown(tx, names, 'scopes')
  const reserved = scopes.filter((scope) => inPersonScopes.some((one) => one === scope))
  if (reserved.length > 0) tx.fail('INVALID', `No key may have ${reserved.join(', ')}`, 'scopes')
  requireHeld(context, tx, scopes, 'scopes')
  const [row] = await tx.rows(prepared('SELECT identity.effective_permissions($1)', [ownerId]))
  const lacking = notHeld(scopes, new Set(row![0] as string[]))
  if (lacking.length > 0)
    tx.fail('PERMISSION_NOT_HELD', `The owner of the key lacks ${lacking.join(', ')}`, 'scopes')
  return scopes
}

/** Gives a key another secret; the former one counts for a while, so that programs change over without a gap. */
export function rotateApiKey(
  context: SubgraphContext,
  { id, expectedVersion, overlapMinutes, expiresAt }: RotateApiKeyInput,
): Told<{ apiKey: ApiKey; secret: string }> {
  return mutate(context, async (tx: Tx) => {
    const now = context.services.clock.now()
    const overlapMs = (overlapMinutes ?? 0) * 60_000
    if (overlapMs < 0 || overlapMs > longestOverlapMs)
      tx.fail('INVALID', 'The former secret counts for 0 to 10080 minutes', 'overlapMinutes')
    const before = await tx.find(ApiKey, id)
    const owner = await findOwner(context, tx, before.ownerId, 'id')
    requireHeld(context, tx, before.scopes, 'id')
    if (!isUsable(before, now)) tx.fail('KEY_ENDED', 'This key has ended: make another one', 'id')
    const fault = expiresAt ? expiryFault(expiresAt, now) : null
    if (fault) tx.fail('INVALID', fault, 'expiresAt')
    await entrust(context, tx, owner.id)
    const { key, kept } = newSecret(context, before.id)
    const apiKey = await tx.update(ApiKey, id, expectedVersion, {
      ...kept,
      previousHash: overlapMs > 0 ? before.secretHash : null,
      previousUntil: overlapMs > 0 ? new Date(now.getTime() + overlapMs).toISOString() : null,
      rotatedAt: now.toISOString(),
      expiresAt: expiresAt ?? undefined,
    })
    await revokeCachedSessions(context.services.keyValue, apiKey.tenantId, [apiKey.id])
    return { apiKey, secret: key }
  })
}

/** Ends a key at once; one that has ended stays as it is. */
export function revokeApiKey(context: SubgraphContext, id: string): Told<{ apiKey: ApiKey }> {
  return mutate(context, async (tx: Tx) => {
    const before = await tx.find(ApiKey, id)
    if (before.ownerId !== context.viewer?.userId) {
      requireHeld(context, tx, ['identity:key:write'], 'id')
      await requireAuthorityOver(context, tx, before.ownerId, 'id')
    }
    const now = context.services.clock.now()
    if (!isUsable(before, now)) return { apiKey: before }
    const revokedById = context.binding.actorId ?? null
    const apiKey = await tx.update(ApiKey, id, null, { revokedAt: now.toISOString(), revokedById })
    await revokeCachedSessions(context.services.keyValue, apiKey.tenantId, [apiKey.id])
    return { apiKey }
  })
}
