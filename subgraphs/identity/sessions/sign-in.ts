import type { UserError } from '../../../kernel/errors'
import { writeAudit, type AuditEntry } from '../../../kernel/mutate'
import { type Statement, type SubgraphContext, tenantScope, type Transaction } from '../../../kernel/context'
import {
  assertRoomForPassword,
  hashPassword,
  isHashOutdated,
  type HashingLane,
} from '../../../kernel/sign-in'
import { issueAccessToken, normalEmail, verifyPassword } from '../../../kernel/sign-in'
import { uuidv7 } from '../../../kernel/id'
import { prepared } from '../../../kernel/statement'
import type { AuthMethod } from '../entities/Session'
import { sessionMs } from '../rules/session-limits'
import { accountKey, countAttempt, countNetwork, forgetAttempts, hashingLane, linesOf } from './attempts'
import { deviceOf, newDeviceMark } from './device-mark'
import { formatToken, hashSecret, newSecret } from './opaque-token'
import { notifyAt } from './notices'
import { beginSecondFactor } from './pending-sign-in'
import { isKnownPlace, notePlace } from './places'
import type { IdentityUserErrorCode } from '../generated'

/** The tokens of a session, as a payload of the graph. */
export interface Tokens {
  accessToken: string
  refreshToken: string
  /** When the access token ends. */
  expiresAt: string
}

export interface SignInResult extends Partial<Tokens> {
  passwordChangeRequired?: boolean
  deviceMark?: string
  mfaToken?: string
  retryAfterSeconds?: number
  userErrors: UserError<IdentityUserErrorCode>[]
}

interface Account {
  userId: string
  passwordHash: string | null
  /** Takes the place of `passwordHash`, which was made with fewer rounds than they are today. */
  renewedHash?: string
}

/** Describes what an attempt names, whether or not there is such an account. */
interface Named {
  email: string
  lane: HashingLane
  /** Tells whether the attempt came with a mark of a device that was in before. */
  isKnownDevice: boolean
}

/** The way that a right password opens: into a session, or to the second factor. */
type Opened = (Tokens & { passwordChangeRequired: boolean }) | { mfaToken: string }

/** Entered when no tenant was found, so that the statements stay the same. No tenant has this id. */
export const noTenant = '00000000-0000-0000-0000-000000000000'

/** PostgreSQL's text has no character 0, and so no tenant or user has it in its name. */
export const storable = (text: string): string => normalEmail(text).replaceAll('\0', '')

/**
 * Signs a user in. Whatever is wrong (tenant, e-mail address, password, suspension) gives one answer, after the same
 * statements and the same work of bcrypt. Attempts are counted before anything is looked up, by what was named.
 */
export async function signIn(
  context: SubgraphContext,
  input: { tenant: string; email: string; password: string; deviceMark?: string | null },
): Promise<SignInResult> {
  const slug = storable(input.tenant)
  const email = storable(input.email)
  const account = accountKey(slug, email)
  const device = input.deviceMark ? deviceOf(context, account, input.deviceMark) : null
  const lane = hashingLane(context, device)
  assertRoomForPassword(lane)
  // A device that was in before does not wait for what others do from its network.
  const networkWait = device ? null : await countNetwork(context)
  if (networkWait) return tooManyAttempts(networkWait)
  const lines = linesOf(context, account, device)
  const wait = await countAttempt(context, lines)
  if (wait) return tooManyAttempts(wait)
  // The request may come with somebody's access token: the tenant is that of the input, not of the token.
  const tenantId = await tenantScope.run(null, () => findTenant(context, slug))
  const result = await tenantScope.run(tenantId ?? noTenant, () =>
    signInTo(context, tenantId, { email, lane, isKnownDevice: device !== null }, input.password),
  )
  if (!result.accessToken) return result
  await forgetAttempts(context, lines)
  return { ...result, deviceMark: newDeviceMark(context, account, device) }
}

async function signInTo(
  context: SubgraphContext,
  tenantId: string | null,
  named: Named,
  password: string,
): Promise<SignInResult> {
  const { passwordRounds } = context.services.config
  const account = await findAccount(context, tenantId ?? noTenant, named.email)
  const correct = await verifyPassword(password, account?.passwordHash ?? null, passwordRounds, named.lane)
  const opened =
    tenantId && account && correct
      ? await openSession(
          context,
          tenantId,
          await withPresentHash(context, account, password, named.lane),
          named,
        )
      : null
  if (!opened) {
    await recordFailure(context, tenantId, account, correct)
    return {
      userErrors: [
        { code: 'INVALID_CREDENTIALS', message: 'Tenant, e-mail address or password is wrong', field: null },
      ],
    }
  }
  return { ...opened, userErrors: [] }
}

/** The user error and the waiting time after too many attempts. */
export function tooManyAttempts(seconds: number): {
  retryAfterSeconds: number
  userErrors: UserError<IdentityUserErrorCode>[]
} {
  const message = `Too many attempts. Try again in ${seconds} seconds.`
  return { retryAfterSeconds: seconds, userErrors: [{ code: 'RATE_LIMITED', message, field: null }] }
}

export async function findTenant(context: SubgraphContext, slug: string): Promise<string | null> {
  const [row] = await context.db.rows(
    { tenantId: null, requestId: context.requestId },
    prepared('SELECT identity.tenant_by_slug($1)', [slug]),
  )
  return (row?.[0] ?? null) as string | null
}

async function findAccount(
  context: SubgraphContext,
  tenantId: string,
  email: string,
): Promise<Account | null> {
  const [row] = await context.db.rows(
    { tenantId, requestId: context.requestId },
    prepared('SELECT id, password_hash FROM identity.users WHERE tenant_id = $1 AND email = $2', [
      tenantId,
      email,
    ]),
  )
  if (!row) return null
  return { userId: String(row[0]), passwordHash: row[1] as string | null }
}

/** The account with another hash of its password where the present one is too cheap to guess at. Only a right password costs it. */
async function withPresentHash(
  { services }: SubgraphContext,
  account: Account,
  password: string,
  lane: HashingLane,
): Promise<Account> {
  const { passwordRounds } = services.config
  if (account.passwordHash === null || !isHashOutdated(account.passwordHash, passwordRounds)) return account
  return { ...account, renewedHash: await hashPassword(password, passwordRounds, lane) }
}

/** Null when the user was suspended, or the password changed, since the account was read. */
async function openSession(
  context: SubgraphContext,
  tenantId: string,
  account: Account,
  { email, isKnownDevice }: Named,
): Promise<Opened | null> {
  const { userId } = account
  const now = context.services.clock.now()
  const binding = { tenantId, actorId: userId, requestId: context.requestId }
  const user = await context.db.transaction(binding, async (tx) => {
    // Locks the row: a suspension comes either before, and no session is opened, or after, and ends it.
    const [row] = await tx.rows(
      prepared(
        `UPDATE identity.users
            SET last_login_at = CASE WHEN mfa_enabled THEN last_login_at ELSE $3 END,
                password_hash = coalesce($5, password_hash), updated_at = now()
          WHERE tenant_id = $1 AND id = $2 AND status = 'ACTIVE' AND password_hash = $4
          RETURNING permission_version, password_change_required, mfa_enabled,
            (SELECT b.last_login_at IS NOT NULL FROM identity.users b WHERE b.tenant_id = $1 AND b.id = $2)`,
        [tenantId, userId, now.toISOString(), account.passwordHash, account.renewedHash ?? null],
      ),
    )
    if (!row) return null
    const permissionVersion = Number(row[0])
    if (row[2] === true)
      return {
        mfaToken: await beginSecondFactor(
          context,
          tx,
          { tenantId, userId, permissionVersion },
          isKnownDevice,
        ),
      }
    // The row as it was before.
    const wasIn = row[3] === true
    const isNew = !isKnownDevice && !(await isKnownPlace(context, tx, { tenantId, userId }, wasIn))
    await notePlace(context, tx, { tenantId, userId })
    if (isNew) await notifyAt(context, tx, { tenantId, userId, email }, 'NEW_DEVICE')
    const session = await beginSession(context, tx, { tenantId, userId })
    writeAudit(context, tx, [{ ...session.entry, actorId: userId }])
    return { ...session, permissionVersion, passwordChangeRequired: row[1] === true }
  })
  if (!user) return null
  if (user.mfaToken !== undefined) return { mfaToken: user.mfaToken }
  const tokens = await tokensFor(context, { ...user, tenantId, userId }, user.refreshToken)
  return { ...tokens, passwordChangeRequired: user.passwordChangeRequired }
}

/** A session that began: its refresh token, and the audit entry that its transaction must write. */
export interface BegunSession {
  sessionId: string
  refreshToken: string
  entry: AuditEntry
}

/** Begins a session of a user whose row is locked, in the caller's transaction. */
export async function beginSession(
  context: SubgraphContext,
  tx: Pick<Transaction, 'run'>,
  { tenantId, userId }: { tenantId: string; userId: string },
  methods: readonly AuthMethod[] = ['PASSWORD'],
): Promise<BegunSession> {
  const now = context.services.clock.now()
  const sessionId = uuidv7(now.getTime())
  const token = { tenantId, tokenId: uuidv7(now.getTime()), secret: newSecret() }
  await insertSession(context, tx, { sessionId, userId, methods }, now)
  await tx.run(refreshTokenStatement(token.tokenId, sessionId, hashSecret(token.secret), now))
  const entry: AuditEntry = { action: 'SIGN_IN', resourceType: 'Session', resourceId: sessionId, changes: {} }
  return { sessionId, refreshToken: formatToken(token), entry }
}

/** A new access token beside a refresh token. */
export async function tokensFor(
  { services }: SubgraphContext,
  session: { tenantId: string; userId: string; sessionId: string; permissionVersion: number },
  refreshToken: string,
): Promise<Tokens> {
  const { tenantId, userId, sessionId, permissionVersion } = session
  const claims = { tenantId, userId, sessionId, permissionVersion }
  const { token, expiresAt } = issueAccessToken(
    services.keys,
    services.config.tokenIssuer,
    claims,
    services.clock,
  )
  return { accessToken: token, refreshToken, expiresAt }
}

async function insertSession(
  context: SubgraphContext,
  tx: Pick<Transaction, 'run'>,
  begun: { sessionId: string; userId: string; methods: readonly AuthMethod[] },
  now: Date,
): Promise<void> {
  const end = new Date(now.getTime() + sessionMs)
  await tx.run(
    prepared(
      `INSERT INTO identity.sessions (id, user_id, created_at, last_seen_at, proved_at, expires_at, ip_address, user_agent, auth_methods, proved_by)
       VALUES ($1, $2, $3, $3, $3, $4, $5, $6, $7, $8)`,
      [
        begun.sessionId,
        begun.userId,
        now.toISOString(),
        end.toISOString(),
        context.clientIp?.slice(0, 50) ?? null,
        context.userAgent?.slice(0, 1_000) ?? null,
        begun.methods,
        begun.methods.at(-1),
      ],
    ),
  )
}

/** The statement that adds a token which can be used. */
export function refreshTokenStatement(
  id: string,
  sessionId: string,
  secretHash: string,
  now: Date,
): Statement {
  return prepared(
    'INSERT INTO identity.refresh_tokens (id, session_id, secret_hash, created_at) VALUES ($1, $2, $3, $4)',
    [id, sessionId, secretHash, now.toISOString()],
  )
}

/**
 * Notes a failed attempt in the audit trail, if it is known whose. Waiting for the disk would tell by the time that
 * there is something to note, so the commit does not; a crash loses the failures of its last moments.
 */
async function recordFailure(
  context: SubgraphContext,
  tenantId: string | null,
  account: Account | null,
  correct: boolean,
): Promise<void> {
  const reason = !account ? 'UNKNOWN_USER' : correct ? 'SUSPENDED' : 'WRONG_PASSWORD'
  const binding = { tenantId: tenantId ?? noTenant, requestId: context.requestId }
  await context.db.transaction(binding, async (tx) => {
    await tx.run({ text: 'SET LOCAL synchronous_commit TO off' })
    if (!tenantId) return
    const resourceId = account?.userId ?? null
    writeAudit(context, tx, [
      {
        action: 'SIGN_IN_FAILED',
        resourceType: 'User',
        resourceId,
        changes: { after: { reason } },
        actorId: null,
      },
    ])
  })
}
