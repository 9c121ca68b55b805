import { createHmac, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import {
  accessTokenVerifier,
  AccessTokenError,
  issueAccessToken,
  verifyAccessToken,
} from '../../kernel/sign-in/access-token'
import { tokenKeys } from '../../kernel/sign-in/token-keys'

const start = Date.UTC(2026, 10, 20, 12, 0, 0)
const at = (ms: number) => ({ now: () => new Date(start + ms) })
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const keys = tokenKeys(privateKey)
const issuer = 'tenantgraph'
const claims = {
  tenantId: '0193a5e0-0000-7000-8000-00000000000a',
  userId: '0193a5e0-0000-7000-8000-00000000000b',
  sessionId: '0193a5e0-0000-7000-8000-00000000000c',
  permissionVersion: 3,
}
const { token, expiresAt } = issueAccessToken(keys, issuer, claims, at(0))
const [head, body, signature] = token.split('.') as [string, string, string]

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const read = (text: string) =>
  JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>

/** A token with these members changed, signed properly by the given key. */
function forged(header: object, payload: object, key: KeyObject = privateKey): string {
  const signed = `${part({ ...read(head), ...header })}.${part({ ...read(body), ...payload })}`
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`
}

/** How a token is refused: 'expired' or 'invalid'. */
function refusal(text: string, clock = at(0)): string {
  try {
    verifyAccessToken(keys, issuer, text, clock)
  } catch (error) {
    if (error instanceof AccessTokenError) return error.expired ? 'expired' : 'invalid'
    throw error
  }
  throw new Error('The token was accepted')
}

describe('an access token', () => {
  test('says who its bearer is, and ends after 15 minutes', () => {
    expect(verifyAccessToken(keys, issuer, token, at(0))).toEqual(claims)
    expect(expiresAt).toBe('2026-11-20T12:15:00.000Z')
    expect(verifyAccessToken(keys, issuer, token, at(15 * 60_000 - 1))).toEqual(claims)
    expect(refusal(token, at(15 * 60_000))).toBe('expired')
  })

  test('names algorithm, type and key, and carries nothing else', () => {
    expect(read(head)).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: keys.kid })
    expect(read(body)).toEqual({
      iss: 'tenantgraph',
      aud: 'graphql',
      sub: claims.userId,
      tid: claims.tenantId,
      sid: claims.sessionId,
      pv: 3,
      iat: start / 1000,
      exp: start / 1000 + 900,
    })
  })

  test('a control: the forging function itself makes good tokens', () => {
    expect(verifyAccessToken(keys, issuer, forged({}, {}), at(0))).toEqual(claims)
  })

  test.each([
    ['no algorithm', { alg: 'none' }, {}],
    ['a symmetric algorithm', { alg: 'HS256' }, {}],
    ['another spelling of the algorithm', { alg: 'eddsa' }, {}],
    ['another type', { typ: 'JWT' }, {}],
    ['an unknown key', { kid: 'unknown' }, {}],
    ['no key', { kid: undefined }, {}],
    ['critical extensions', { crit: ['b64'], b64: false }, {}],
    ['a key of its own', { jwk: publicKey.export({ format: 'jwk' }) }, {}],
    ['another issuer', {}, { iss: 'elsewhere' }],
    ['another audience', {}, { aud: 'files' }],
    ['a list of audiences', {}, { aud: ['graphql'] }],
    ['no expiry', {}, { exp: undefined }],
    ['an expiry in words', {}, { exp: '2027-01-01' }],
    ['an issue in the future', {}, { iat: start / 1000 + 61 }],
    ['no tenant', {}, { tid: undefined }],
    ['a tenant that is no UUID', {}, { tid: "x'; drop" }],
    ['no session', {}, { sid: null }],
    ['a negative permission version', {}, { pv: -1 }],
    ['more than 2048 characters', {}, { more: 'x'.repeat(2048) }],
  ])('with %s is refused, though properly signed', (_case, header, payload) => {
    expect(refusal(forged(header, payload))).toBe('invalid')
  })

  test('signed by another key under our name is refused, expired or not', () => {
    const { privateKey: other } = generateKeyPairSync('ed25519')
    expect(refusal(forged({}, {}, other))).toBe('invalid')
    expect(refusal(forged({}, {}, other), at(3_600_000))).toBe('invalid')
  })

  test('signed with the public key as a shared secret is refused', () => {
    for (const format of ['pem', 'der'] as const) {
      const secret = publicKey.export({ format: format as 'pem', type: 'spki' })
      for (const alg of ['HS256', 'EdDSA']) {
        const signed = `${part({ ...read(head), alg })}.${body}`
        expect(refusal(`${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`)).toBe(
          'invalid',
        )
      }
    }
  })

  test.each([
    ['nothing', ''],
    ['dots', '..'],
    ['no signature', `${head}.${body}.`],
    ['two parts', `${head}.${body}`],
    ['four parts', `${token}.${signature}`],
    ['padding', `${token}==`],
    ['a line end', `${token}\n`],
    ['no JSON', `${Buffer.from('{').toString('base64url')}.${body}.${signature}`],
    ['a null header', `${part(null)}.${body}.${signature}`],
  ])('made of %s is refused', (_case, text) => {
    expect(refusal(text)).toBe('invalid')
  })

  test('changed in any one character is refused', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+/= '
    for (let index = 0; index < token.length; index++) {
      const other =
        alphabet[(alphabet.indexOf(token[index]!) + 1 + (index % (alphabet.length - 1))) % alphabet.length]!
      if (other === token[index]) continue
      expect(refusal(token.slice(0, index) + other + token.slice(index + 1))).toBe('invalid')
    }
  })

  test('has one text: the spare bits of the last character are fixed', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const accepted = [...alphabet].filter((last) => {
      try {
        return Boolean(verifyAccessToken(keys, issuer, token.slice(0, -1) + last, at(0)))
      } catch {
        return false
      }
    })
    expect(accepted).toEqual([token.at(-1)])
  })

  test('no text whatever makes verifying fail in another way', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc
            .tuple(fc.json(), fc.json(), fc.string())
            .map((three) => three.map((text) => Buffer.from(text).toString('base64url')).join('.')),
        ),
        (text) => {
          expect(refusal(text)).toBe('invalid')
        },
      ),
    )
  })
})

describe('several keys', () => {
  const next = generateKeyPairSync('ed25519')

  test('a token of the former key is accepted while that key is listed, and refused afterwards', () => {
    const both = tokenKeys(next.privateKey, [publicKey])
    const after = tokenKeys(next.privateKey)
    expect(verifyAccessToken(both, issuer, token, at(0))).toEqual(claims)
    expect(() => verifyAccessToken(after, issuer, token, at(0))).toThrow(AccessTokenError)
    const successor = issueAccessToken(both, issuer, claims, at(0)).token
    expect(read(successor.split('.')[0]!)).toMatchObject({ kid: after.kid })
    expect(verifyAccessToken(after, issuer, successor, at(0))).toEqual(claims)
  })

  test('a key is never used under the name of another', () => {
    const both = tokenKeys(next.privateKey, [publicKey])
    const swapped = forged({ kid: both.kid }, {})
    expect(() => verifyAccessToken(both, issuer, swapped, at(0))).toThrow(AccessTokenError)
  })

  test('a process with public keys only verifies, and says so when asked to issue', () => {
    const verifier = tokenKeys(null, [publicKey])
    expect(verifyAccessToken(verifier, issuer, token, at(0))).toEqual(claims)
    expect(() => issueAccessToken(verifier, issuer, claims, at(0))).toThrow(/TOKEN_PRIVATE_KEY/)
  })
})

test('random bytes in place of the signature are refused', () => {
  expect(refusal(`${head}.${body}.${randomBytes(64).toString('base64url')}`)).toBe('invalid')
})

describe('a remembered token', () => {
  let ms = 0
  const clock = { now: () => new Date(start + ms) }
  beforeEach(() => (ms = 0))

  function said(verify: (token: string) => unknown, text: string): unknown {
    try {
      return verify(text)
    } catch (error) {
      if (error instanceof AccessTokenError) return error.expired ? 'expired' : 'invalid'
      throw error
    }
  }

  test('says what it said the first time', () => {
    const verify = accessTokenVerifier(keys, issuer, clock)
    expect([verify(token), verify(token)]).toEqual([claims, claims])
    expect(verify(token)).toBe(verify(token))
  })

  test('is refused from the millisecond it expires on, and again when it comes again', () => {
    const verify = accessTokenVerifier(keys, issuer, clock)
    verify(token)
    ms = 15 * 60_000 - 1
    expect(said(verify, token)).toEqual(claims)
    ms += 1
    expect([said(verify, token), said(verify, token)]).toEqual(['expired', 'expired'])
  })

  test('is not good before its time, should the clock be set back', () => {
    const verify = accessTokenVerifier(keys, issuer, clock)
    verify(token)
    ms = -61_000
    expect(said(verify, token)).toBe('invalid')
  })

  test('with any one character changed is refused', () => {
    const verify = accessTokenVerifier(keys, issuer, clock)
    verify(token)
    for (let at = 0; at < token.length; at++) {
      const other = token[at] === 'A' ? 'B' : 'A'
      expect(said(verify, token.slice(0, at) + other + token.slice(at + 1))).toBe('invalid')
    }
    expect(said(verify, `${token}A`)).toBe('invalid')
    expect(said(verify, token.slice(0, -1))).toBe('invalid')
    expect(said(verify, token)).toEqual(claims)
  })

  test('is of one issuer: another one does not know it', () => {
    accessTokenVerifier(keys, issuer, clock)(token)
    expect(said(accessTokenVerifier(keys, 'elsewhere', clock), token)).toBe('invalid')
  })

  test('is refused once its key is taken off the list', () => {
    const publicKeys = new Map(keys.publicKeys)
    const verify = accessTokenVerifier({ ...keys, publicKeys }, issuer, clock)
    verify(token)
    publicKeys.delete(keys.kid!)
    expect(said(verify, token)).toBe('invalid')
  })

  test('is forgotten for newer ones, and then verified again', () => {
    const verify = accessTokenVerifier(keys, issuer, clock, 2)
    const another = (permissionVersion: number) =>
      issueAccessToken(keys, issuer, { ...claims, permissionVersion }, at(0)).token
    const [first, ...others] = [token, another(4), another(5)].map(verify)
    expect(others.map(({ permissionVersion }) => verify(another(permissionVersion)))).toEqual(others)
    // A remembered token gives the object it gave before.
    expect(verify(another(5))).toBe(others[1])
    expect(verify(token)).toEqual(first)
    expect(verify(token)).not.toBe(first)
  })
})
