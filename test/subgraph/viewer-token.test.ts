import { createHmac, hkdfSync } from 'node:crypto'
import type { Viewer } from '../../kernel/context'
import { signViewer, verifyViewer } from '../../kernel/access/viewer-token'

const secret = 'a secret of at least thirty-two characters'
const body = '{"query":"{ viewer { id } }"}'
const viewer: Viewer = {
  tenantId: 't1',
  userId: 'u1',
  sessionId: 's1',
  permissionVersion: 7,
  scopes: new Set(['hr:employee:read', 'hr:salary:read']),
}
const asking = { requestId: 'r1', clientIp: '192.0.2.1', userAgent: 'curl/8' }
const at = (seconds: number) => ({ now: () => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)) })
const token = signViewer(secret, 'hr', viewer, body, asking, at(0))

test('a token tells who asks and which request it is', () => {
  expect(verifyViewer(secret, 'hr', token, body, at(1))).toEqual({ viewer, ...asking })
  expect(verifyViewer(secret, 'hr', token, Buffer.from(body), at(1)).viewer?.scopes).toEqual(viewer.scopes)
})

test('a question that a stream repeats is told to a subgraph over HTTP as one (live 2)', () => {
  const repeated = signViewer(secret, 'hr', viewer, body, { ...asking, isFollowUp: true }, at(0))
  expect(verifyViewer(secret, 'hr', repeated, body, at(1))).toEqual({ viewer, ...asking, isFollowUp: true })
})

test('nobody is vouched for as well', () => {
  const anonymous = signViewer(
    secret,
    'hr',
    null,
    body,
    { ...asking, clientIp: null, userAgent: null },
    at(0),
  )
  expect(verifyViewer(secret, 'hr', anonymous, body, at(1))).toEqual({
    viewer: null,
    requestId: 'r1',
    clientIp: null,
    userAgent: null,
  })
})

/** The token with its payload changed, signed as before. */
function altered(change: (payload: Record<string, unknown>) => void): string {
  const [text, signature] = token.split('.')
  const payload = JSON.parse(Buffer.from(text!, 'base64url').toString()) as Record<string, unknown>
  change(payload)
  return `${Buffer.from(JSON.stringify(payload)).toString('base64url')}.${signature}`
}
const unsigned = 'viewer token not signed for hr with this secret'

test.each([
  ['is missing', undefined, 'no viewer token'],
  ['is empty', '', 'no viewer token'],
  ['is not a token', 'hello', unsigned],
  ['has no signature', `${token.split('.')[0]}.`, unsigned],
  ['has another signature', `${token.slice(0, -4)}AAAA`, unsigned],
  ['has a part more', `${token}.x`, unsigned],
  [
    'names another tenant',
    altered(({ viewer: who }) => ((who as { tenantId: string }).tenantId = 't2')),
    unsigned,
  ],
  ['adds a scope', altered(({ viewer: who }) => (who as { scopes: string[] }).scopes.push('all')), unsigned],
  ['lives longer', altered((payload) => (payload['expiresAt'] = Number.MAX_SAFE_INTEGER)), unsigned],
  ['is made for another subgraph', signViewer(secret, 'finance', viewer, body, asking, at(0)), unsigned],
  ['is made with another secret', signViewer(`${secret}!`, 'hr', viewer, body, asking, at(0)), unsigned],
  [
    'is made for another body',
    signViewer(secret, 'hr', viewer, `${body} `, asking, at(0)),
    'viewer token made for another request body',
  ],
  [
    'comes from the future',
    signViewer(secret, 'hr', viewer, body, asking, at(7)),
    'viewer token from the future: set the clocks of gateway and subgraph',
  ],
  ['is too long', 'x'.repeat(12_001), 'viewer token too long'],
])('a token that %s is refused, and the log can say why', (_what, given, reason) => {
  expect(() => verifyViewer(secret, 'hr', given, body, at(1))).toThrow(reason)
})

test('a token lives for thirty seconds', () => {
  expect(verifyViewer(secret, 'hr', token, body, at(29)).requestId).toBe('r1')
  expect(() => verifyViewer(secret, 'hr', token, body, at(30))).toThrow('viewer token expired')
})

test('a token made for longer is refused, whoever signed it', () => {
  const [text] = altered(
    (payload) => (payload['expiresAt'] = (payload['issuedAt'] as number) + 30_001),
  ).split('.')
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'tenantgraph viewer hr', 32))
  const signature = createHmac('sha256', key).update(text!).digest('base64url')
  expect(() => verifyViewer(secret, 'hr', `${text}.${signature}`, body, at(1))).toThrow(
    'viewer token lives too long',
  )
})

test('clocks may differ by five seconds', () => {
  const early = signViewer(secret, 'hr', viewer, body, asking, at(6))
  expect(verifyViewer(secret, 'hr', early, body, at(1)).requestId).toBe('r1')
})

test('what a client chose cannot make the token too long for a header', () => {
  const wordy = { requestId: 'r'.repeat(9_000), clientIp: '1'.repeat(9_000), userAgent: 'ü'.repeat(9_000) }
  const long = signViewer(secret, 'hr', viewer, body, wordy, at(0))
  expect(long.length).toBeLessThan(3_000)
  expect(verifyViewer(secret, 'hr', long, body, at(1)).userAgent).toBe('ü'.repeat(300))
})

test('the same body may be sent again while the token lives', () => {
  expect(verifyViewer(secret, 'hr', token, body, at(1))).toEqual(
    verifyViewer(secret, 'hr', token, body, at(2)),
  )
})
