import { GraphQLError } from 'graphql'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../kernel/clock'
import type { Binding, Database } from '../../kernel/connection/database'
import type { Logger } from '../../kernel/process/log'
import { hashKeySecret, isOneOfHashes, parseApiKey, type ApiKeyText } from '../../kernel/sign-in/api-key'
import { networksOf } from '../../kernel/sign-in/networks'
import { sessionKey } from '../../kernel/sign-in/session-cache'
import type { RateLimit } from '../../kernel/store/key-value'
import { refusedForNow } from '../errors'
import { networkOf } from '../../kernel/process/network-address'
import { AuthorityStates, type AuthorityStateOptions } from './authority-states'
import { keyUses } from './key-uses'
import { windowLimit } from './rates'
import type { ViewerResolver } from './viewer'

export interface ApiKeyOptions extends AuthorityStateOptions {
  /** Opened as role `app_gateway`. */
  database: Database
  /** Says where rates are counted. */
  rates: Pick<RateLimit, 'add'>
  clock: Clock
  log: Logger
}

/** Describes what the database knows of a key that may still be used. */
interface KeyState {
  userId: string
  permissionVersion: number
  scopes: ReadonlySet<string>
  /** Left out when it is false, as most states are. */
  passwordChangeRequired?: true
  /** Left out when it is 0. */
  secondsAhead?: number
  secretHash: string
  previousHash: string | null
  /** Instants, ISO 8601. */
  previousUntil: string | null
  expiresAt: string
  rateLimit: number
  networks: readonly string[]
}

/** The header that names a key. */
export const apiKeyHeader = 'x-api-key'

/** Keys that are none, from one network in a minute: whoever tries more of them is not listened to. */
const mostWrongKeys = 60
const minuteMs = 60_000
/** Says of how many keys, and for how long after their last use, it is remembered that they were good. */
const mostKnown = 10_000
const knownForMs = 15 * minuteMs

/**
 * Reads `x-api-key`: finds the key by its id, compares its secret in constant time, and holds it to its networks and rate. What
 * is wrong with a key is not told apart, or an old key would tell that it was one.
 */
export function apiKeyViewers(options: ApiKeyOptions): ViewerResolver {
  const { clock } = options
  const states = new AuthorityStates<KeyState>(options)
  const noteUse = keyUses(options)
  const within = windowLimit({ limit: 1000, store: options.rates, clock, log: options.log })
  const admits = networkTests()
  const wrong = wrongKeys(clock)
  const known = new LRUCache<string, { hash: string; until: number }>({ max: mostKnown })
  const isKnown = (keyId: string, hash: string): boolean => {
    const good = known.get(keyId)
    return good !== undefined && clock.now().getTime() < good.until && isOneOfHashes(hash, [good.hash])
  }
  const find = async (
    isCounted: boolean,
    ...[headers, requestId, address]: Parameters<ViewerResolver>
  ): ReturnType<ViewerResolver> => {
    const text = headers.get(apiKeyHeader)
    if (text === undefined) return null
    const key = parseApiKey(text)
    const hash = key && hashKeySecret(key.secret)
    // Somebody else in the same network spends nothing of a key that is in use, and its id alone, which many may see, opens nothing.
    if (!key || !isKnown(key.keyId, hash!)) wrong.refuse(address)
    const isGuess = key !== null && !isKnown(key.keyId, hash!)
    const state = key && (await stateOf(key, requestId, isGuess))
    if (!key || !state || !isGood(hash!, state, clock.now())) {
      wrong.count(address)
      throw refused('The API key is not valid: it is mistyped, revoked or over, or its owner is suspended')
    }
    const until = Math.min(clock.now().getTime() + knownForMs, Date.parse(state.expiresAt))
    known.set(key.keyId, { hash: hash!, until })
    if (!admits(state.networks)(address))
      throw refused('The API key may not be used from this network: see its allowedNetworks')
    const { tenantId, keyId } = key
    const wait = isCounted ? within(`t:${tenantId}:api-key:${keyId}`, 1, state.rateLimit) : 0
    if (wait > 0) throw refusedForNow('RATE_LIMITED', Math.ceil(wait / 1000))
    noteUse(tenantId, keyId)
    const { userId, permissionVersion, scopes, passwordChangeRequired, secondsAhead } = state
    const viewer = { tenantId, userId, sessionId: null, apiKeyId: keyId, permissionVersion, scopes }
    return { ...viewer, passwordChangeRequired, secondsAhead }
  }
  const resolve: ViewerResolver = (...given) => find(true, ...given)
  resolve.again = (...given) => find(false, ...given)
  resolve.isSigned = (headers) => {
    const key = parseApiKey(headers.get(apiKeyHeader) ?? '')
    return key !== null && isKnown(key.keyId, hashKeySecret(key.secret))
  }
  return resolve

  function stateOf(key: ApiKeyText, requestId: string, isGuess: boolean): Promise<KeyState | null> {
    const name = sessionKey(key.tenantId, key.keyId)
    return states.of(name, requestId, () =>
      storedKey(options, key, isGuess ? { requestId, share: 'anonymous' } : { requestId }),
    )
  }
}

function isGood(hash: string, state: KeyState, now: Date): boolean {
  const { secretHash, previousHash, previousUntil, expiresAt } = state
  const counts = previousUntil !== null && now.getTime() < Date.parse(previousUntil)
  const matches = isOneOfHashes(hash, [secretHash, counts ? previousHash : null])
  return matches && now.getTime() < Date.parse(expiresAt)
}

async function storedKey(
  { database, clock }: ApiKeyOptions,
  { tenantId, keyId }: ApiKeyText,
  asking: Pick<Binding, 'requestId' | 'share'>,
): Promise<KeyState | null> {
  const [row] = await database.rows(
    { tenantId, ...asking },
    {
      name: 'gateway_api_key_viewer',
      text: `SELECT user_id, permission_version, scopes, password_change_required, secret_hash, previous_hash, previous_until,
        expires_at, rate_limit, allowed_networks, shared.seconds_ahead() FROM shared.api_key_viewer($1, $2)`,
      values: [keyId, clock.now().toISOString()],
    },
  )
  if (!row) return null
  const [userId, version, scopes, demanded, ...ofKey] = row as [
    string,
    number,
    string[],
    boolean,
    ...unknown[],
  ]
  const [secretHash, previousHash, previousUntil, expiresAt, rateLimit, networks, ahead] = ofKey as [
    ...[string, string | null, string | null, string],
    ...[number, string[], number],
  ]
  return {
    ...{ userId, permissionVersion: version, scopes: new Set(scopes) },
    passwordChangeRequired: demanded || undefined,
    secondsAhead: ahead || undefined,
    ...{ secretHash, previousHash, previousUntil, expiresAt, rateLimit, networks },
  }
}

/** Tests of networks, each made once of the same list. */
function networkTests(): (networks: readonly string[]) => ReturnType<typeof networksOf> {
  const made = new LRUCache<string, ReturnType<typeof networksOf>>({ max: 1000 })
  return (networks) => {
    const name = networks.join()
    let test = made.get(name)
    if (!test) made.set(name, (test = networksOf(networks)))
    return test
  }
}

/** Counts wrong keys by network, so that trying keys costs the database next to nothing. */
function wrongKeys(clock: Clock) {
  const counts = new LRUCache<string, { count: number; endsAt: number }>({ max: 10_000 })
  const present = (address: string | null) => {
    const known = counts.get(networkOf(address))
    return known && clock.now().getTime() < known.endsAt ? known : undefined
  }
  return {
    refuse(address: string | null): void {
      const known = present(address)
      if (known && known.count >= mostWrongKeys)
        throw refusedForNow('RATE_LIMITED', Math.ceil((known.endsAt - clock.now().getTime()) / 1000))
    },
    count(address: string | null): void {
      const known = present(address)
      if (known) known.count += 1
      else counts.set(networkOf(address), { count: 1, endsAt: clock.now().getTime() + minuteMs })
    },
  }
}

function refused(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } } })
}

/** Whoever comes with both a session and a key is refused: which of them is meant would be a guess. */
export function oneOf(sessions: ViewerResolver, keys: ViewerResolver): ViewerResolver {
  const ofThem = (headers: Parameters<ViewerResolver>[0]): ViewerResolver => {
    if (headers.get(apiKeyHeader) === undefined) return sessions
    if (headers.get('authorization') !== undefined)
      throw refused(`Send either authorization or ${apiKeyHeader}, not both`)
    return keys
  }
  const resolve: ViewerResolver = async (headers, ...rest) => ofThem(headers)(headers, ...rest)
  resolve.again = async (headers, ...rest) => {
    const one = ofThem(headers)
    return (one.again ?? one)(headers, ...rest)
  }
  resolve.isSigned = (headers) => {
    const [session, key] = [headers.get('authorization'), headers.get(apiKeyHeader)]
    if (session !== undefined && key !== undefined) return false
    return (key === undefined ? sessions : keys).isSigned?.(headers) === true
  }
  return resolve
}
