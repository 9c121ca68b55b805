import { createLogger, withoutRedaction } from '../../kernel/process/log'

/** What a logger wrote, line by line. */
function capture() {
  const lines: Record<string, unknown>[] = []
  return { lines, destination: { write: (line: string) => void lines.push(JSON.parse(line)) } }
}

test('a line carries its level by name, an ISO instant and no host or process', () => {
  const { lines, destination } = capture()
  createLogger({ logLevel: 'info' }, destination).info({ operation: 'Viewer' }, 'answered')
  expect(lines).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      operation: 'Viewer',
      msg: 'answered',
    },
  ])
})

test('every instant is written whole, within one second and beyond', () => {
  const { lines, destination } = capture()
  const log = createLogger({ logLevel: 'info' }, destination)
  const instants = [
    '2026-11-20T23:59:59.000Z',
    '2026-11-20T23:59:59.007Z',
    '2026-11-20T23:59:59.042Z',
    '2026-11-20T23:59:59.999Z',
    '2026-11-21T00:00:00.000Z',
    '2026-11-20T23:59:59.100Z',
  ]
  const now = jest.spyOn(Date, 'now')
  for (const instant of instants) {
    now.mockReturnValue(Date.parse(instant))
    log.info('now')
  }
  now.mockRestore()
  expect(lines.map(({ time }) => time)).toEqual(instants)
})

test('lines without redaction are otherwise the same, and change nothing for others', () => {
  const { lines, destination } = capture()
  const log = createLogger({ logLevel: 'info' }, destination)
  const plain = withoutRedaction(log)
  for (const each of [log, plain, log])
    each.info({ requestId: 'r', codes: ['A'], token: 's3cret' }, 'request')
  plain.debug('below the level')
  const line = { level: 'info', time: expect.any(String), requestId: 'r', codes: ['A'], msg: 'request' }
  expect(lines).toEqual([
    { ...line, token: '[redacted]' },
    { ...line, token: 's3cret' },
    { ...line, token: '[redacted]' },
  ])
})

test('secrets are redacted at the top and two levels inside', () => {
  const { lines, destination } = capture()
  const log = createLogger({ logLevel: 'info' }, destination)
  log.info({ password: 's3cret', request: { headers: { authorization: 's3cret', 'x-api-key': 's3cret' } } })
  log.info({ input: { refreshToken: 's3cret', status: 'ACTIVE' }, config: { databaseUrl: 's3cret' } })
  log.info({ 'x-api-key': 's3cret', headers: { 'x-api-key': 's3cret', cookie: 's3cret' } })
  expect(JSON.stringify(lines)).not.toContain('s3cret')
  expect(lines[1]).toMatchObject({ input: { refreshToken: '[redacted]', status: 'ACTIVE' } })
})

test('an error is logged without the values a database error carries', () => {
  const { lines, destination } = capture()
  const error = Object.assign(new Error('duplicate key value', { cause: new RangeError('inner') }), {
    code: '23505',
    constraint: 'users_email_key',
    detail: 'Key (email)=(s3cret) already exists.',
    parameters: ['s3cret'],
  })
  createLogger({ logLevel: 'info' }, destination).error({ err: error }, 'failed')
  expect(lines[0]).toMatchObject({
    err: {
      type: 'Error',
      message: 'duplicate key value',
      stack: expect.stringContaining('log.test.ts'),
      code: '23505',
      constraint: 'users_email_key',
      cause: { type: 'RangeError', message: 'inner' },
    },
  })
  expect(JSON.stringify(lines)).not.toContain('s3cret')
})
