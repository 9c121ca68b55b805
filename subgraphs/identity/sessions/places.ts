import { createHmac, hkdfSync } from 'node:crypto'
import type { SubgraphContext, Transaction } from '../../../kernel/context'
import { prepared } from '../../../kernel/statement'

interface Owner {
  tenantId: string
  userId: string
}

const maxAgent = 1_000
const maxAddress = 50

/**
 * The text that stands for program and address of a request, for one user: nobody reads an address from it, and it outlives sessions.
 * The key follows from the one that signs access tokens; when that is exchanged, each place is a new one once.
 */
function placeOf({ services, clientIp, userAgent }: SubgraphContext, { tenantId, userId }: Owner): string {
  const secret = services.keys.privateKey?.export({ format: 'jwk' }).d ?? ''
  const key = hkdfSync('sha256', Buffer.from(secret, 'base64url'), '', 'tenantgraph sign-in place 1', 32)
  const place = [tenantId, userId, userAgent?.slice(0, maxAgent), clientIp?.slice(0, maxAddress)]
  return createHmac('sha256', Buffer.from(key)).update(JSON.stringify(place)).digest('hex')
}

const known = `SELECT
    EXISTS (SELECT FROM identity.sign_in_places WHERE tenant_id = $1 AND user_id = $2 AND place = $3)
      OR EXISTS (SELECT FROM identity.sessions WHERE tenant_id = $1 AND user_id = $2
        AND user_agent IS NOT DISTINCT FROM $4 AND ip_address IS NOT DISTINCT FROM $5),
    EXISTS (SELECT FROM identity.sign_in_places WHERE tenant_id = $1 AND user_id = $2)
      OR EXISTS (SELECT FROM identity.sessions WHERE tenant_id = $1 AND user_id = $2)`

/**
 * Tells whether a user signed in with the same program from the same address before, as far as they tell. Of the very first sign-in
 * nobody need be told: of one who never was in, which sessions that are gone do not make of anybody.
 */
export async function isKnownPlace(
  context: SubgraphContext,
  tx: Pick<Transaction, 'rows'>,
  owner: Owner,
  wasIn: boolean,
): Promise<boolean> {
  const { clientIp, userAgent } = context
  const values = [owner.tenantId, owner.userId, placeOf(context, owner)]
  const told = [userAgent?.slice(0, maxAgent) ?? null, clientIp?.slice(0, maxAddress) ?? null]
  const [row] = await tx.rows(prepared(known, [...values, ...told]))
  const [isSame, isAny] = row as [boolean, boolean]
  return isSame || (!wasIn && !isAny)
}

/** Notes that a user signed in from where the request comes. */
export async function notePlace(
  context: SubgraphContext,
  tx: Pick<Transaction, 'run'>,
  owner: Owner,
): Promise<void> {
  const text = `INSERT INTO identity.sign_in_places (user_id, place, last_seen_at) VALUES ($1, $2, $3)
    ON CONFLICT (tenant_id, user_id, place) DO UPDATE SET last_seen_at = excluded.last_seen_at`
  const now = context.services.clock.now().toISOString()
  await tx.run(prepared(text, [owner.userId, placeOf(context, owner), now]))
}
