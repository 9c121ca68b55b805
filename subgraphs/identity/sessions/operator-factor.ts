import type { SubgraphContext } from '../../../kernel/context'
import { unwrapFactor, wrapFactor } from '../../../kernel/sign-in'
import { prepared } from '../../../kernel/statement'
import { countCodes } from './attempts'
import { acceptedStep, newTotpSecret, otpauthUri } from './codes'

/** The authenticator of an operator, as it is stored. */
export interface OperatorFactor {
  masterKeyId: string
  wrapped: string
  /** Tells whether a code of it was right once; before that it counts for nothing. */
  isConfirmed: boolean
  /** The time step of the last code that was taken. */
  lastStep: number | null
}

/**
 * Makes a secret for an operator's authenticator, in place of one that was never confirmed.
 * @param proof of the password: who has another one by now, is disabled or has confirmed gets nothing
 * @returns the secret, told this once, and its address for a picture; null where there is nothing to offer
 */
export async function offerFactor(
  context: SubgraphContext,
  { operatorId, proof, email }: { operatorId: string; proof: string; email: string },
): Promise<{ secret: string; otpauthUri: string } | null> {
  const secret = newTotpSecret()
  const { masterKeyId, wrapped } = await wrapFactor(context.services.dataKeys.provider, operatorId, secret)
  const binding = { tenantId: null, actorId: operatorId, requestId: context.requestId }
  const [row] = await context.db.rows(
    binding,
    prepared('SELECT identity.offer_operator_factor($1, $2, $3, $4)', [
      operatorId,
      proof,
      masterKeyId,
      wrapped,
    ]),
  )
  return row?.[0] === true ? { secret, otpauthUri: otpauthUri(secret, { tenant: 'Platform', email }) } : null
}

/**
 * The time step of a code that may be taken, null for any other code; or how many seconds to wait before another one is tried.
 * Attempts are counted before a code is compared. `codes` is what `forgetAttempts` takes.
 */
export async function checkCode(
  context: SubgraphContext,
  operatorId: string,
  factor: OperatorFactor,
  code: string,
): Promise<{ codes: { key: string }; wait: number | null; step: number | null }> {
  const { codes, wait } = await countCodes(context, 'platform', operatorId)
  if (wait) return { codes, wait, step: null }
  const secret = await unwrapFactor(context.services.dataKeys.provider, operatorId, factor)
  const { lastStep } = factor
  const step = acceptedStep(secret, code, { now: context.services.clock.now(), lastStep })
  return { codes, wait, step }
}
