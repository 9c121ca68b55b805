import { readFileSync } from 'node:fs'
import { acceptingHash, statusWhenReactivated } from '../../subgraphs/identity/rules/invitation'
import { isLastAdministrator, notHeld } from '../../subgraphs/identity/rules/permissions'
import { isRepeat } from '../../subgraphs/identity/rules/session-limits'
import {
  formatToken,
  hashSecret,
  newSecret,
  parseToken,
  secretMatches,
  successorSecret,
} from '../../subgraphs/identity/sessions/opaque-token'
import { uuidv7 } from '../../kernel/id'
import { hashPassword, verifyPassword } from '../../kernel/sign-in/password'
import { passwordFault } from '../../subgraphs/identity/passwords/password-rules'

test('permissions that are not held are named once, in order', () => {
  expect(notHeld(['b:b:b', 'a:a:a', 'c:c:c', 'b:b:b'], new Set(['a:a:a']))).toEqual(['b:b:b', 'c:c:c'])
  expect(notHeld([], new Set())).toEqual([])
})

test('the last administrator is the only one', () => {
  expect(isLastAdministrator('a', ['a'])).toBe(true)
  expect(isLastAdministrator('A', ['a'])).toBe(true)
  expect(isLastAdministrator('a', ['a', 'b'])).toBe(false)
  expect(isLastAdministrator('a', ['b'])).toBe(false)
  expect(isLastAdministrator('a', [])).toBe(false)
})

test('a used token is a repeat for ten seconds, also when clocks differ a little', () => {
  const now = new Date('2026-03-01T00:00:10.000Z')
  const repeat = (at: string, isSuccessorUsed = false) => isRepeat({ at, isSuccessorUsed }, now)
  expect(repeat('2026-03-01T00:00:00.000Z')).toBe(true)
  expect(repeat('2026-02-28T23:59:59.999Z')).toBe(false)
  expect(repeat('2026-03-01T00:00:11.000Z')).toBe(true)
  expect(repeat('2026-03-01T00:00:00.000Z', true)).toBe(false)
})

describe('an invitation', () => {
  const invitation = {
    status: 'INVITED',
    invitationHash: 'h',
    invitationExpiresAt: '2026-03-01T00:00:00.000Z',
  }
  const before = new Date('2026-02-28T23:59:59.999Z')

  test.each([
    ['in time', invitation, before, 'h'],
    ['at its end', invitation, new Date('2026-03-01T00:00:00.000Z'), null],
    ['of an active user', { ...invitation, status: 'ACTIVE' }, before, null],
    ['that was withdrawn', { ...invitation, invitationHash: null, invitationExpiresAt: null }, before, null],
  ])('%s', (_, of, now, hash) => {
    expect(acceptingHash(of, now)).toBe(hash)
  })

  test('is what a suspended user without a password of their own comes back to (A2)', () => {
    const own = { kind: 'PERSON', passwordHash: 'x', passwordChangeRequired: false } as const
    expect(statusWhenReactivated({ ...own, passwordHash: null })).toBe('INVITED')
    expect(statusWhenReactivated({ ...own, passwordChangeRequired: true })).toBe('INVITED')
    expect(statusWhenReactivated(own)).toBe('ACTIVE')
    expect(statusWhenReactivated({ ...own, kind: 'SERVICE', passwordHash: null })).toBe('ACTIVE')
  })
})

describe('refresh tokens', () => {
  const token = { tenantId: uuidv7(), tokenId: uuidv7(), secret: newSecret() }

  test('are read as they were written', () => {
    expect(parseToken(formatToken(token))).toEqual(token)
  })

  test.each([
    '',
    'x',
    `${token.tenantId}.${token.tokenId}`,
    `${token.tenantId}.${token.tokenId}.short`,
    `${token.tenantId}.not-a-uuid-but-36-characters-in-lengt.${'a'.repeat(43)}`,
    `${formatToken(token)}x`,
    `${formatToken(token)}\n`,
    `${formatToken(token)}.x`,
    'x'.repeat(1_000_000),
  ])('are nothing else: %#', (text) => {
    expect(parseToken(text)).toBeNull()
  })

  test('the successor follows from the secret and the id, and only from both', () => {
    const id = uuidv7()
    const secret = successorSecret(token.secret, id)
    expect(successorSecret(token.secret, id)).toEqual(secret)
    expect(successorSecret(token.secret, uuidv7())).not.toEqual(secret)
    expect(successorSecret(newSecret(), id)).not.toEqual(secret)
    expect(secret).toHaveLength(32)
  })

  test('a secret matches its own hash only', () => {
    expect(secretMatches(token.secret, hashSecret(token.secret))).toBe(true)
    expect(secretMatches(newSecret(), hashSecret(token.secret))).toBe(false)
  })
})

describe('passwords', () => {
  test('are verified by their hash, however the characters are composed', async () => {
    const hash = await hashPassword('caf\u00e9 au lait', 4)
    expect(hash).toMatch(/^\$2b\$04\$/)
    expect(await verifyPassword('cafe\u0301 au lait', hash, 4)).toBe(true)
    expect(await verifyPassword('cafe au lait', hash, 4)).toBe(false)
    expect(await verifyPassword('caf\u00e9 au lait', null)).toBe(false)
  })

  test('above 72 bytes are refused, where bcrypt would ignore the rest', async () => {
    const longest = 'ä'.repeat(36)
    const hash = await hashPassword(longest, 4)
    expect(await verifyPassword(longest, hash, 4)).toBe(true)
    expect(await verifyPassword(`${longest}x`, hash, 4)).toBe(false)
    await expect(hashPassword(`${longest}x`, 4)).rejects.toThrow(
      new RangeError('a password has at most 72 bytes'),
    )
    expect(passwordFault(`${longest}x`)).toBe('A password has at most 72 bytes')
    expect(passwordFault('eleven char')).toBe('A password has at least 12 characters')
    expect(passwordFault('twelve chars')).toBeNull()
  })

  const ada = {
    email: 'ada.lovelace@acme.example',
    names: ['lovely', 'Ada Lovelace', null, 'Acme Ltd', 'acme'],
  }
  const many = 'This password is one that many people use, perhaps with digits around it'
  const row = 'A password does not repeat a few characters, and is no row of digits, letters or keys'
  const name = 'A password does not hold your name or address, nor the name of your organization'

  test.each([
    ['password1234', many],
    ['Passw0rd2026!', many],
    ['!!letmein!!2026', many],
    ['i love you 123456', many],
    ['aaaaaaaaaaaa', row],
    ['monkeymonkey', row],
    ['123456789012', row],
    ['qwertyuiop[]12', row],
    ['zyxwvutsrqpo', row],
    [' '.repeat(12), 'A password is not blank'],
    ['\u3000'.repeat(12), 'A password is not blank'],
    ['ada.lovelace@acme.example', name],
    ['Lovelace engines', name],
    ['we build at Acme', name],
    ['l0vel@ce engines', name],
  ])('A10 refuses %j', (text, fault) => {
    expect(passwordFault(text, ada)).toBe(fault)
  })

  test.each([
    'correct horse battery',
    'trains in canada run late',
    'gK7#pq!x2Lw9',
    'twelve chars',
    'δεν ξεχνώ ποτέ',
  ])('A10 takes %j', (text) => expect(passwordFault(text, ada)).toBeNull())

  test('A10 refuses every password of the list that is long enough', () => {
    const file = require.resolve('@zxcvbn-ts/language-common/src/passwords.json')
    const list = (JSON.parse(readFileSync(file, 'utf8')) as string[]).filter((text) => text.length >= 12)
    expect(list.length).toBeGreaterThan(30)
    expect(list.filter((text) => passwordFault(text) === null)).toEqual([])
    expect(list.filter((text) => passwordFault(text.toUpperCase()) === null)).toEqual([])
  })
})
