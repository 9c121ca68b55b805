import { GraphQLError } from 'graphql'
import { LRUCache } from 'lru-cache'
import {
  accessTokenVerifier,
  AccessTokenError,
  type AccessTokenClaims,
} from '../../kernel/sign-in/access-token'
import type { Clock } from '../../kernel/clock'
import type { Database } from '../../kernel/connection/database'
import type { KeyValue } from '../../kernel/store/key-value'
import type { Logger } from '../../kernel/process/log'
import { revoked, sessionKey } from '../../kernel/sign-in/session-cache'
import { operatorTokenPrefix } from '../../kernel/sign-in/operator-token'
import type { TokenKeys } from '../../kernel/sign-in/token-keys'
import type { Asking } from './asking'
import { operatorStates } from './operator-viewer'

/** Headers of a request. */
export interface RequestHeaders {
  get(name: string): string | undefined
}

export interface ViewerResolver {
  /** Finds who asks. Null: nobody is signed in. Throws UNAUTHENTICATED when credentials are given but no longer good. */
  (headers: RequestHeaders, requestId: string): Promise<Asking | null>
  /**
   * Tells whether the credentials were issued here and have not expired, without asking anybody whether they are still
   * good. Without it no credentials count before the body of their request was read.
   */
  isSigned?(headers: RequestHeaders): boolean
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
}

/** The form in which a session's state is kept. */
type StoredState = Omit<SessionState, 'scopes'> & { scopes: string[] }

const cachedForMs = 60_000
/** Says how many texts of states are kept read; a session's text stays the same until something about it changes. */
const mostRead = 1000

/**
 * Reads `Authorization: Bearer …`: verifies the access token, then asks for the state of its session. Scopes come
 * from that state and not from the token, so a changed role counts on the next request.
 */
export function sessionViewers(options: SessionOptions): ViewerResolver {
  const verify = accessTokenVerifier(options.keys, options.issuer, options.clock)
  const sessions = new SessionStates(options)
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
    const state = await sessions.of(claims, requestId)
    if (!state || state.userId !== claims.userId) throw refused('The session has ended: sign in again')
    const { tenantId, userId, sessionId } = claims
    return {
      tenantId,
      userId,
      sessionId,
      permissionVersion: state.permissionVersion,
      scopes: state.scopes,
      passwordChangeRequired: state.passwordChangeRequired,
      secondsAhead: state.secondsAhead,
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

/** The states of sessions: from the cache where there is one, else from the database. */
class SessionStates {
  readonly #read = new LRUCache<string, SessionState>({ max: mostRead })

  constructor(private readonly options: Pick<SessionOptions, 'database' | 'cache' | 'clock' | 'log'>) {}

  /** @returns null for a session that may not be used */
  async of(claims: AccessTokenClaims, requestId: string): Promise<SessionState | null> {
    const { cache, log } = this.options
    if (!cache) return this.#stored(claims, requestId)
    const key = sessionKey(claims.tenantId, claims.sessionId)
    let known: string | null
    try {
      known = await cache.get(key)
    } catch (error) {
      log.warn({ requestId, error: String(error) }, 'the session cache does not answer: asking the database')
      return this.#stored(claims, requestId)
    }
    if (known === revoked) return this.#stored(claims, requestId)
    if (known !== null) return this.#stateFrom(known)
    const state = await this.#stored(claims, requestId)
    if (state) await this.#remember(cache, key, state, requestId)
    return state
  }

  /** Of the same text always the same state, so that nothing is read twice and sets of scopes can be told apart. */
  #stateFrom(text: string): SessionState {
    let state = this.#read.get(text)
    if (!state) {
      const { scopes, ...rest } = JSON.parse(text) as StoredState
      this.#read.set(text, (state = { ...rest, scopes: new Set(scopes) }))
    }
    return state
  }

  /** No row: revoked, idle for too long, or user or tenant suspended. */
  async #stored(claims: AccessTokenClaims, requestId: string): Promise<SessionState | null> {
    const { database, clock } = this.options
    const { tenantId, userId, sessionId } = claims
    const [row] = await database.rows(
      { tenantId, actorId: userId, requestId },
      {
        name: 'gateway_session_viewer',
        text: `SELECT user_id, permission_version, scopes, password_change_required, shared.seconds_ahead()
          FROM shared.session_viewer($1, $2)`,
        values: [sessionId, clock.now().toISOString()],
      },
    )
    if (!row) return null
    const [id, version, scopes, demanded, ahead] = row as [string, number, string[], boolean, number]
    return {
      userId: id,
      permissionVersion: version,
      scopes: new Set(scopes),
      passwordChangeRequired: demanded || undefined,
      secondsAhead: ahead || undefined,
    }
  }

  /** Only where nothing stands: a session revoked since it was read has left its mark there. */
  async #remember(store: KeyValue, key: string, state: SessionState, requestId: string): Promise<void> {
    try {
      const text = JSON.stringify({ ...state, scopes: [...state.scopes] } satisfies StoredState)
      await store.set(key, text, { ttlMs: cachedForMs, onlyIfAbsent: true })
    } catch (error) {
      this.options.log.warn({ requestId, error: String(error) }, 'the session cache does not answer')
    }
  }
}

const notUsable = 'The access token is not valid: sign in again'
const expired = 'accessToken expired: refresh it with refreshSession'
const operatorExpired = 'accessToken expired: sign in with operatorSignIn again'

function verified<C>(verify: (token: string) => C, token: string, whenExpired: string): C {
  try {
    return verify(token)
  } catch (error) {
    throw refused(error instanceof AccessTokenError && error.expired ? whenExpired : notUsable)
  }
}

/** The whole request is refused: an answer to nobody in place of the user would look like a loss of data. */
function refused(message: string): GraphQLError {
  const headers = new Map([['www-authenticate', 'Bearer error="invalid_token"']])
  return new GraphQLError(message, {
    extensions: { code: 'UNAUTHENTICATED', http: { status: 401, headers } },
  })
}
