import { generateKeyPairSync } from 'node:crypto'
import type { GraphQLError } from 'graphql'
import { sessionViewers } from '../../gateway/operations/viewer'
import { issueAccessToken, type AccessTokenClaims } from '../../kernel/sign-in/access-token'
import type { Database, Statement } from '../../kernel/connection/database'
import type { KeyValue } from '../../kernel/store/key-value'
import { revokeCachedSessions, sessionKey } from '../../kernel/sign-in/session-cache'
import { tokenKeys, type TokenKeys } from '../../kernel/sign-in/token-keys'
import { memoryLog } from './fixtures/start'

const claims: AccessTokenClaims = {
  tenantId: '01900000-0000-7000-8000-000000000001',
  userId: '01900000-0000-7000-8000-000000000002',
  sessionId: '01900000-0000-7000-8000-000000000003',
  permissionVersion: 1,
}
const key = 't:01900000-0000-7000-8000-000000000001:user:session:01900000-0000-7000-8000-000000000003'

/** A store that remembers, with the time each entry was given. */
function memoryStore(): KeyValue & { entries: Map<string, { value: string; ttlMs?: number }> } {
  const entries = new Map<string, { value: string; ttlMs?: number }>()
  return {
    entries,
    get: async (name) => entries.get(name)?.value ?? null,
    set: async (name, value, { ttlMs, onlyIfAbsent } = {}) => {
      if (onlyIfAbsent && entries.has(name)) return false
      entries.set(name, { value, ttlMs })
      return true
    },
    delete: async (names) => names.forEach((name) => entries.delete(name)),
  }
}

function keyPair(): TokenKeys {
  return tokenKeys(generateKeyPairSync('ed25519').privateKey)
}

interface World {
  /** What the database answers; null: the session may not be used. */
  row: [userId: string, permissionVersion: number, scopes: string[], ...rest: unknown[]] | null
  asked: { binding: unknown; statement: Statement }[]
  /** Runs after the database has read and before its answer arrives. */
  meanwhile?: () => Promise<void>
}

function setUp({ cached = true }: { cached?: boolean } = {}) {
  const world: World = { row: [claims.userId, 3, ['hr:employee:read']], asked: [] }
  const keys = keyPair()
  const store = memoryStore()
  let now = new Date('2026-11-20T10:00:00.000Z')
  const clock = { now: () => now }
  const database = {
    rows: async (binding: unknown, statement: Statement) => {
      world.asked.push({ binding, statement })
      const { row } = world
      await world.meanwhile?.()
      return row ? [row] : []
    },
  } as unknown as Database
  const { log, lines } = memoryLog()
  const resolve = sessionViewers({
    keys,
    issuer: 'tests',
    database,
    cache: cached ? store : null,
    clock,
    log,
  })
  const token = (changes: Partial<AccessTokenClaims> = {}, from = keys, issuer = 'tests') =>
    issueAccessToken(from, issuer, { ...claims, ...changes }, clock).token
  const ask = (authorization?: string) =>
    resolve(new Map(authorization ? [['authorization', authorization]] : []), 'r-1', null)
  const refusal = async (authorization: string) => {
    const error = await ask(authorization).catch((thrown: unknown) => thrown as GraphQLError)
    if (!(error instanceof Error)) throw new Error('not refused')
    return { message: error.message, ...error.extensions }
  }
  return {
    world,
    keys,
    store,
    lines,
    token,
    ask,
    isSigned: (authorization: string) => resolve.isSigned!(new Map([['authorization', authorization]])),
    refusal,
    later: (ms: number) => (now = new Date(now.getTime() + ms)),
  }
}

const refused = (message: string) => ({
  message,
  code: 'UNAUTHENTICATED',
  http: { status: 401, headers: new Map([['www-authenticate', 'Bearer error="invalid_token"']]) },
})

describe('whether a token was issued here (attack 1)', () => {
  it('is told of signature and time, without the database', () => {
    const { isSigned, token, later, world } = setUp()
    const good = `Bearer ${token()}`
    expect(isSigned(good)).toBe(true)
    expect(['', 'Bearer x', 'Bearer a.b.c', token(), `${good.slice(0, -4)}AAAA`].map(isSigned)).toEqual(
      Array.from({ length: 5 }, () => false),
    )
    expect(isSigned(`Bearer ${token({}, keyPair())}`)).toBe(false)
    expect(isSigned(`Bearer ${token({}, undefined, 'others')}`)).toBe(false)
    later(15 * 60_000)
    expect([isSigned(good), world.asked]).toEqual([false, []])
  })
})

describe('who asks', () => {
  it('is nobody without credentials', async () => {
    const { ask, world } = setUp()
    await expect(ask()).resolves.toBeNull()
    expect(world.asked).toEqual([])
  })

  it('is the user of the token’s session, with the scopes of its present state', async () => {
    const { ask, token, world } = setUp()
    await expect(ask(`Bearer ${token()}`)).resolves.toEqual({
      ...claims,
      permissionVersion: 3,
      scopes: new Set(['hr:employee:read']),
    })
    expect(world.asked).toEqual([
      {
        binding: { tenantId: claims.tenantId, actorId: claims.userId, requestId: 'r-1' },
        statement: {
          name: 'gateway_session_viewer',
          text: `SELECT user_id, permission_version, scopes, password_change_required, shared.seconds_ahead(), shared.session_proved_at($1),
          shared.second_factor_due(user_id)
        FROM shared.session_viewer($1, $2)`,
          values: [claims.sessionId, '2026-11-20T10:00:00.000Z'],
        },
      },
    ])
  })

  it('has proved who they are when the session says, and never where it does not', async () => {
    const { ask, token, world } = setUp({ cached: false })
    const provedAt = async () => (await ask(`Bearer ${token()}`))?.provedAt
    world.row = [claims.userId, 3, [], false, 0, '2026-11-20T09:55:00.000Z']
    expect(await provedAt()).toBe(Date.parse('2026-11-20T09:55:00.000Z'))
    world.row = [claims.userId, 3, [], false, 0, null]
    expect(await provedAt()).toBeUndefined()
  })

  it('is told that the token has expired, and what to do', async () => {
    const { refusal, token, later, world } = setUp()
    const old = token()
    later(15 * 60_000)
    expect(await refusal(`Bearer ${old}`)).toEqual(
      refused('accessToken expired: refresh it with refreshSession'),
    )
    expect(world.asked).toEqual([])
  })

  it('is told so of a token that was good a moment ago, too', async () => {
    const { ask, refusal, token, later, world } = setUp()
    const old = token()
    await ask(`Bearer ${old}`)
    later(15 * 60_000)
    expect(await refusal(`Bearer ${old}`)).toEqual(
      refused('accessToken expired: refresh it with refreshSession'),
    )
    expect(world.asked).toHaveLength(1)
  })

  it('is told the same of every other token that is no good', async () => {
    const { refusal, token, later, world } = setUp()
    const good = token()
    const [head, , signature] = good.split('.')
    const other = Buffer.from(JSON.stringify({ ...claims, scopes: ['*'] })).toString('base64url')
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${other}.`
    const forged = token({}, keyPair())
    later(15 * 60_000)
    const bad = [
      forged,
      token({}, undefined, 'elsewhere'),
      `${head}.${other}.${signature}`,
      unsigned,
      'x',
      'a.b.c',
      `${good} x`,
    ]
    for (const text of [...bad.map((value) => `Bearer ${value}`), 'Basic YTpi', 'Bearer', 'Bearer ', good]) {
      expect([text, await refusal(text)]).toEqual([
        text,
        refused('The access token is not valid: sign in again'),
      ])
    }
    expect(world.asked).toEqual([])
  })

  it('is refused when the session may not be used any more', async () => {
    const { refusal, token, world, store } = setUp()
    world.row = null
    expect(await refusal(`Bearer ${token()}`)).toEqual(refused('The session has ended: sign in again'))
    expect(store.entries.size).toBe(0)
  })

  it('is refused when the session belongs to somebody else', async () => {
    const { refusal, token, world } = setUp()
    world.row = ['01900000-0000-7000-8000-00000000000f', 1, ['*']]
    expect(await refusal(`Bearer ${token()}`)).toEqual(refused('The session has ended: sign in again'))
  })
})

describe('the state of a session', () => {
  it('is asked for once a minute', async () => {
    const { ask, token, world, store } = setUp()
    const first = await ask(`Bearer ${token()}`)
    await expect(ask(`Bearer ${token()}`)).resolves.toEqual(first)
    expect(world.asked).toHaveLength(1)
    expect([...store.entries]).toEqual([
      [
        key,
        {
          value: JSON.stringify({
            userId: claims.userId,
            permissionVersion: 3,
            scopes: ['hr:employee:read'],
          }),
          ttlMs: 60_000,
        },
      ],
    ])
  })

  it('is asked for each time where no store is shared with those who revoke', async () => {
    const { ask, token, world } = setUp({ cached: false })
    await ask(`Bearer ${token()}`)
    world.row = [claims.userId, 4, []]
    expect((await ask(`Bearer ${token()}`))?.scopes).toEqual(new Set())
    expect(world.asked).toHaveLength(2)
  })

  it('is asked for again, and not kept, once the session was revoked', async () => {
    const { ask, refusal, token, world, store } = setUp()
    await ask(`Bearer ${token()}`)
    await revokeCachedSessions(store, claims.tenantId, [claims.sessionId])
    expect(store.entries.get(sessionKey(claims.tenantId, claims.sessionId))).toEqual({
      value: 'revoked',
      ttlMs: 120_000,
    })
    // The change has not committed yet: the old state is still true.
    expect((await ask(`Bearer ${token()}`))?.permissionVersion).toBe(3)
    world.row = null
    expect(await refusal(`Bearer ${token()}`)).toEqual(refused('The session has ended: sign in again'))
    expect(world.asked).toHaveLength(3)
  })

  it('is asked for again although the token itself is remembered', async () => {
    const { ask, refusal, token, world, store } = setUp()
    const same = `Bearer ${token()}`
    await ask(same)
    await revokeCachedSessions(store, claims.tenantId, [claims.sessionId])
    world.row = null
    expect(await refusal(same)).toEqual(refused('The session has ended: sign in again'))
    expect(world.asked).toHaveLength(2)
  })

  it('is not put back by a request that read it before the session was revoked', async () => {
    const { ask, refusal, token, world, store } = setUp()
    world.meanwhile = async () => {
      await revokeCachedSessions(store, claims.tenantId, [claims.sessionId])
      world.row = null
      world.meanwhile = undefined
    }
    await ask(`Bearer ${token()}`)
    expect(await refusal(`Bearer ${token()}`)).toEqual(refused('The session has ended: sign in again'))
  })

  it('is of one tenant’s session: the same id in another tenant is another entry', async () => {
    const { ask, token, world } = setUp()
    await ask(`Bearer ${token()}`)
    await ask(`Bearer ${token({ tenantId: '01900000-0000-7000-8000-000000000009' })}`)
    expect(world.asked).toHaveLength(2)
  })

  it('comes from the database when the store does not answer', async () => {
    const { ask, token, world, store, lines } = setUp()
    store.get = async () => Promise.reject(new Error('connect ECONNREFUSED'))
    await expect(ask(`Bearer ${token()}`)).resolves.toMatchObject({ userId: claims.userId })
    expect(world.asked).toHaveLength(1)
    expect(lines).toMatchObject([
      { requestId: 'r-1', msg: 'the session cache does not answer: asking the database' },
    ])
    expect(JSON.stringify(lines)).not.toContain(token())
  })

  it('is not known when the database does not answer: nobody is let in', async () => {
    const { ask, token, world } = setUp()
    world.meanwhile = async () => Promise.reject(new Error('connect ECONNREFUSED'))
    await expect(ask(`Bearer ${token()}`)).rejects.toThrow('connect ECONNREFUSED')
  })
})
