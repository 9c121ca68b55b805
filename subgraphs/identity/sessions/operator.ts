import type { SubgraphContext } from '../../../kernel/context'
import type { UserError } from '../../../kernel/errors'
import { uuidv7 } from '../../../kernel/id'
import { platformAction, requireOperator } from '../../../kernel/operator'
import {
  assertRoomForPassword,
  digestOf,
  hashPassword,
  hashWithSalt,
  issueOperatorToken,
  networkOf,
  normalEmail,
  saltOf,
} from '../../../kernel/sign-in'
import { prepared } from '../../../kernel/statement'
import { tenantScope } from '../../../kernel/context'
import type { IdentityUserErrorCode, OperatorSignInInput } from '../generated'
import { passwordFault } from '../passwords/password-rules'
import { operatorSessionMs, unknownOperators } from '../rules/session-limits'
import { accountKey, countAttempt, countNetwork, forgetAttempts, hashingLane, linesOf } from './attempts'
import { deviceOf, newDeviceMark } from './device-mark'
import { checkCode, offerFactor, type OperatorFactor } from './operator-factor'
import { wrongCode } from './second-factor'
import { tooManyAttempts } from './sign-in'

interface OperatorSignIn {
  accessToken?: string
  deviceMark?: string
  expiresAt?: string
  retryAfterSeconds?: number
  secret?: string
  otpauthUri?: string
  userErrors: UserError<IdentityUserErrorCode>[]
}

interface Account {
  operatorId: string
  /** The hash of the password, of which the database keeps a digest: it believes nobody without. */
  proof: string
  mustChange: boolean
  /** Null before the first sign-in. */
  factor: OperatorFactor | null
}

const refusal = (code: IdentityUserErrorCode, message: string, field: string[] | null): OperatorSignIn => ({
  userErrors: [{ code, message, field }],
})

/** Entered where there is no such address, so that the statements stay the same. */
const noOperator = '00000000-0000-0000-0000-000000000000'

const badCredentials = () => refusal('INVALID_CREDENTIALS', 'E-mail address or password is wrong', null)

/**
 * Signs an operator in by password and second factor. An unknown address, a wrong password and a disabled operator give one
 * answer, after one hashing of bcrypt and the same statements. Who has a password that somebody else chose gives a new one at once, and who has no
 * second factor yet is told the secret of one: no session begins before a code of it is right, and until then nothing is changed
 * but that secret.
 */
export async function operatorSignIn(
  context: SubgraphContext,
  { email: given, password, newPassword, code, deviceMark }: OperatorSignInInput,
): Promise<OperatorSignIn> {
  const fault =
    newPassword &&
    (passwordFault(newPassword, { email: given }) ?? (newPassword === password ? sameAgain : null))
  if (fault) return refusal('INVALID', fault, ['newPassword'])
  // A slug has no space: no account of a tenant is counted with an operator's.
  const email = normalEmail(given).replaceAll('\0', '')
  const key = accountKey('the platform', email)
  const device = deviceMark ? deviceOf(context, key, deviceMark) : null
  const lane = hashingLane(context, device)
  assertRoomForPassword(lane)
  // A device that was in before does not wait for what others do from its network.
  const networkWait = device ? null : await countNetwork(context)
  if (networkWait) return tooManyAttempts(networkWait)
  const lines = linesOf(context, key, device)
  const accountWait = await countAttempt(context, lines)
  if (accountWait) return tooManyAttempts(accountWait)
  // The request may come with somebody's access token, which says nothing here.
  return tenantScope.run(null, async () => {
    const known = await findSalt(context, email)
    const { passwordRounds } = context.services.config
    const proof = await hashWithSalt(password, known?.salt ?? null, passwordRounds, lane)
    const account = await findAccount(context, known?.operatorId ?? noOperator, proof)
    if (!account) {
      await noteFailure(context, known?.operatorId ?? null, known ? 'WRONG_PASSWORD' : 'UNKNOWN_OPERATOR')
      return badCredentials()
    }
    const { operatorId, mustChange, factor } = account
    if (mustChange && !newPassword)
      return refusal('NEW_PASSWORD_NEEDED', 'Somebody else chose this password: send newPassword along', [
        'newPassword',
      ])
    if (!code || !factor) return askForCode(context, { operatorId, proof, email }, factor)
    const { codes, wait, step } = await checkCode(context, operatorId, factor, code)
    if (wait) return tooManyAttempts(wait)
    const proved = { account, factor, newPassword: newPassword ?? null }
    const opened = step === null ? null : await openSession(context, { ...proved, step })
    if (!opened) {
      await noteFailure(context, operatorId, 'WRONG_CODE')
      return refusal('INVALID_CODE', wrongCode, ['code'])
    }
    await forgetAttempts(context, [codes, ...lines])
    return { ...opened, deviceMark: newDeviceMark(context, key, device) }
  })
}

/** Asks for a code; of an authenticator that counts for nothing yet, its secret is told. */
async function askForCode(
  context: SubgraphContext,
  account: { operatorId: string; proof: string; email: string },
  factor: OperatorFactor | null,
): Promise<OperatorSignIn> {
  if (factor?.isConfirmed)
    return refusal('CODE_NEEDED', 'Send the code that your authenticator shows along', ['code'])
  const offered = await offerFactor(context, account)
  if (!offered) return badCredentials()
  const message = 'Take the secret over into an authenticator, and send the code that it shows along'
  return { ...offered, ...refusal('CODE_NEEDED', message, ['code']) }
}

const sameAgain = 'The new password must differ from the present one'

async function findSalt(
  context: SubgraphContext,
  email: string,
): Promise<{ operatorId: string; salt: string } | null> {
  const text = 'SELECT operator_id, salt FROM identity.operator_password_salt($1)'
  const [row] = await context.db.rows(
    { tenantId: null, requestId: context.requestId },
    prepared(text, [email]),
  )
  return row ? { operatorId: String(row[0]), salt: String(row[1]) } : null
}

/** The account of an operator who is active and has this password. */
async function findAccount(
  context: SubgraphContext,
  operatorId: string,
  proof: string,
): Promise<Account | null> {
  const [row] = await context.db.rows(
    { tenantId: null, requestId: context.requestId },
    prepared(
      `SELECT must_change, factor_key, factor, is_confirmed, last_step FROM identity.operator_for_sign_in($1, $2)`,
      [operatorId, proof],
    ),
  )
  if (!row) return null
  const [mustChange, masterKeyId, wrapped, isConfirmed, last] = row as [
    ...[boolean, string, string | null],
    ...[boolean, unknown],
  ]
  const lastStep = last === null ? null : Number(last)
  const factor = wrapped === null ? null : { masterKeyId, wrapped, isConfirmed, lastStep }
  return { operatorId, proof, mustChange, factor }
}

/** Null when the operator was disabled, the password changed or the code was used, since the account was read. */
async function openSession(
  context: SubgraphContext,
  proof: { account: Account; factor: OperatorFactor; step: number; newPassword: string | null },
): Promise<OperatorSignIn | null> {
  const { operatorId } = proof.account
  const lane = { known: 'operators' }
  const { clock, keys, config } = context.services
  const newHash =
    proof.newPassword === null ? null : await hashPassword(proof.newPassword, config.passwordRounds, lane)
  const now = clock.now()
  const end = new Date(now.getTime() + operatorSessionMs)
  const sessionId = uuidv7(now.getTime())
  const binding = { tenantId: null, actorId: operatorId, requestId: context.requestId }
  const isOpen = await context.db.transaction(binding, async (tx) => {
    const [row] = await tx.rows(
      prepared('SELECT identity.begin_operator_session($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)', [
        ...[operatorId, proof.account.proof, newHash && saltOf(newHash), newHash && digestOf(newHash)],
        ...[proof.factor.wrapped, proof.step],
        ...[sessionId, now.toISOString(), end.toISOString()],
        context.clientIp?.slice(0, 50) ?? null,
        context.userAgent?.slice(0, 1_000) ?? null,
      ]),
    )
    if (row?.[0] !== true) return false
    await tx.rows(platformAction(context, 'SIGN_IN', null, { sessionId, passwordChanged: newHash !== null }))
    return true
  })
  if (!isOpen) return null
  const claims = { operatorId, sessionId, entry: null }
  const accessToken = issueOperatorToken(keys, config.tokenIssuer, claims, end, clock)
  return { accessToken, expiresAt: end.toISOString(), userErrors: [] }
}

/**
 * Notes a failed attempt. Of unknown addresses one stands for all that a network tries within five minutes; the others cost the
 * same and are undone, because what is done must not tell whether there is an operator.
 */
async function noteFailure(
  context: SubgraphContext,
  operatorId: string | null,
  reason: 'WRONG_PASSWORD' | 'WRONG_CODE' | 'UNKNOWN_OPERATOR',
): Promise<void> {
  const binding = { tenantId: null, actorId: operatorId, requestId: context.requestId }
  const { limit, windowMs } = unknownOperators
  const key = `operators:unknown:${operatorId ?? networkOf(context.clientIp)}`
  const { allowed } = await context.services.rateLimit.consume(key, limit, windowMs)
  const isKept = operatorId !== null || allowed
  const noting = context.db.transaction(binding, async (tx) => {
    // Nobody waits for the disk to know of it.
    await tx.run({ text: 'SET LOCAL synchronous_commit TO off' })
    await tx.rows(platformAction(context, 'SIGN_IN_FAILED', null, { reason }))
    if (!isKept) throw new Undone()
  })
  await noting.catch((error: unknown) => {
    if (!(error instanceof Undone)) throw error
  })
}

/** Ends a transaction that leaves nothing. */
class Undone extends Error {}

/** Ends the operator's session, or all of them, and with each every entry that was made in it. */
export async function operatorSignOut(
  context: SubgraphContext,
  everywhere: boolean,
): Promise<{ userErrors: [] }> {
  const { sessionId, operatorId } = requireOperator(context)
  const binding = { tenantId: null, actorId: operatorId, requestId: context.requestId }
  const now = context.services.clock.now().toISOString()
  await tenantScope.run(null, () =>
    context.db.transaction(binding, async (tx) => {
      const [row] = await tx.rows(
        prepared('SELECT identity.end_operator_session($1, $2, $3)', [sessionId, everywhere, now]),
      )
      if (row?.[0] === true)
        await tx.rows(platformAction(context, 'SIGN_OUT', null, { sessionId, everywhere }))
    }),
  )
  return { userErrors: [] }
}
