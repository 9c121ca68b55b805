import { GraphQLError } from 'graphql'
import {
  accessTokenVerifier,
  AccessTokenError,
  type AccessTokenClaims,
} from '../../kernel/sign-in/access-token'
import type { Clock } from '../../kernel/clock'
import type { Viewer } from '../../kernel/context'
import type { Database } from '../../kernel/connection/database'
import type { KeyValue } from '../../kernel/store/key-value'
import type { Logger } from '../../kernel/process/log'
import { operatorTokenPrefix } from '../../kernel/sign-in/operator-token'
import { sessionKey } from '../../kernel/sign-in/session-cache'
import type { TokenKeys } from '../../kernel/sign-in/token-keys'
import type { Asking } from './asking'
import { AuthorityStates } from './authority-states'
import { operatorStates } from './operator-viewer'

/** Headers of a request. */
export interface RequestHeaders {
  get(name: string): string | undefined
}

export interface ViewerResolver {
  /** Finds who asks. Null: nobody is signed in. Throws UNAUTHENTICATED when credentials are given but no longer good. */
  (
    headers: RequestHeaders,
    requestId: string,
    /** Of the client; null when not known. */
    address: string | null,
  ): Promise<Asking | null>
  /**
   * Tells whether the credentials were issued here and have not expired, without asking anybody whether they are still
   * good. Without it no credentials count before the body of their request was read.
   */
  isSigned?(headers: RequestHeaders): boolean
  /** Finds who asks, as the function does, for something that goes on: it counts as no further request. */
  again?(headers: RequestHeaders, requestId: string, address: string | null): Promise<Asking | null>
}

/** Nobody is ever signed in: for a gateway over subgraphs that are somebody else's. */
export const anonymous: ViewerResolver = async () => null

export interface SessionOptions {
  keys: TokenKeys
  issuer: string
  /** Opened as role `app_gateway`. */
  database: Database
  /**
   * Says where session states are remembered for a minute; null: the database is asked for each request. Give it only
   * if whoever revokes a session reaches the same store: everything in this process, or Redis.
   */
  cache: KeyValue | null
  clock: Clock
  log: Logger
}

/** Describes what the database knows of a session that may still be used. */
interface SessionState {
  userId: string
  permissionVersion: number
  scopes: ReadonlySet<string>
  /** Left out when it is false, as most states are. */
  passwordChangeRequired?: true
  /** Left out when it is 0. */
  secondsAhead?: number
  /** Milliseconds since 1970; left out when it is not known. */
  provedAt?: number
  /** From when on a second factor must be added first, milliseconds since 1970; left out for never. */
  secondFactorDueAt?: number
}

/**
 * Reads `Authorization: Bearer …`: verifies the access token, then asks for the state of its session. Scopes come
 * from that state and not from the token, so a changed role counts on the next request.
 */
export function sessionViewers(options: SessionOptions): ViewerResolver {
  const verify = accessTokenVerifier(options.keys, options.issuer, options.clock)
  const sessions = new AuthorityStates<SessionState>(options)
  const operators = operatorStates(options)
  const tokenOf = (authorization: string) => {
    const token = /^Bearer ([\w.-]+)$/i.exec(authorization)?.[1]
    if (!token) throw refused(notUsable)
    return token
  }
  const resolve: ViewerResolver = async (headers, requestId) => {
    const authorization = headers.get('authorization')
    if (authorization === undefined) return null
    const token = tokenOf(authorization)
    if (token.startsWith(operatorTokenPrefix)) {
      const asking = await operators.of(verified(operators.verify, token, operatorExpired), requestId)
      if (!asking) throw refused('The session or the entry has ended: sign in with operatorSignIn again')
      return asking
    }
    const claims = verified(verify, token, expired)
    const { tenantId, userId, sessionId } = claims
    const key = sessionKey(tenantId, sessionId)
    const state = await sessions.of(key, requestId, () => storedSession(options, claims, requestId))
    if (!state || state.userId !== claims.userId) throw refused('The session has ended: sign in again')
    return {
      tenantId,
      userId,
      sessionId,
      permissionVersion: state.permissionVersion,
      scopes: state.scopes,
      passwordChangeRequired: state.passwordChangeRequired,
      secondsAhead: state.secondsAhead,
      provedAt: state.provedAt,
      ...isDue(state, options.clock),
    }
  }
  resolve.isSigned = (headers) => {
    try {
      const token = tokenOf(headers.get('authorization') ?? '')
      if (token.startsWith(operatorTokenPrefix)) verified(operators.verify, token, operatorExpired)
      else verified(verify, token, expired)
      return true
    } catch {
      return false
    }
  }
  return resolve
}

/** Tells that a second factor must be added first, once the days of grace are over. */
function isDue({ secondFactorDueAt: due }: SessionState, clock: Clock): Pick<Viewer, 'secondFactorRequired'> {
  return due !== undefined && due <= clock.now().getTime() ? { secondFactorRequired: true } : {}
}

/** The present state of a session; null: revoked, idle for too long, or user or tenant suspended. */
async function storedSession(
  { database, clock }: Pick<SessionOptions, 'database' | 'clock'>,
  { tenantId, userId, sessionId }: AccessTokenClaims,
  requestId: string,
): Promise<SessionState | null> {
  const [row] = await database.rows(
    { tenantId, actorId: userId, requestId },
    {
      name: 'gateway_session_viewer',
      text: `SELECT user_id, permission_version, scopes, password_change_required, shared.seconds_ahead(), shared.session_proved_at($1),
          shared.second_factor_due(user_id)
        FROM shared.session_viewer($1, $2)`,
      values: [sessionId, clock.now().toISOString()],
    },
  )
  if (!row) return null
  const [id, version, scopes, demanded, ahead, provedAt, dueAt] = row as [
    ...[string, number, string[]],
    ...[boolean, number, string | null, string | null],
  ]
  return {
    userId: id,
    permissionVersion: version,
    scopes: new Set(scopes),
    passwordChangeRequired: demanded || undefined,
    secondsAhead: ahead || undefined,
    provedAt: provedAt ? Date.parse(provedAt) : undefined,
    secondFactorDueAt: dueAt ? Date.parse(dueAt) : undefined,
  }
}

const notUsable = 'The access token is not valid: sign in again'
const expired = 'accessToken expired: refresh it with refreshSession'
const operatorExpired = 'accessToken expired: sign in with operatorSignIn again'

function verified<C>(verify: (token: string) => C, token: string, whenExpired: string): C {
  try {
    return verify(token)
  } catch (error) {
    const isExpired = error instanceof AccessTokenError && error.expired
    const refusal = refused(isExpired ? whenExpired : notUsable)
    if (isExpired) expiries.add(refusal)
    throw refusal
  }
}

/** Refusals of tokens that were good once; their callers are told so in words. */
const expiries = new WeakSet<GraphQLError>()

/** Tells whether credentials are refused because their time is over, and others are to be had. */
export const isExpiry = (error: unknown): boolean => error instanceof GraphQLError && expiries.has(error)

/** The whole request is refused: an answer to nobody in place of the user would look like a loss of data. */
function refused(message: string): GraphQLError {
  const headers = new Map([['www-authenticate', 'Bearer error="invalid_token"']])
  return new GraphQLError(message, {
    extensions: { code: 'UNAUTHENTICATED', http: { status: 401, headers } },
  })
}
