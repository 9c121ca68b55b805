import { createLogger } from '../../subgraphs/shared/log'

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

test('secrets are redacted at the top and two levels inside', () => {
  const { lines, destination } = capture()
  const log = createLogger({ logLevel: 'info' }, destination)
  log.info({ password: 's3cret', request: { headers: { authorization: 's3cret', 'x-api-key': 's3cret' } } })
  log.info({ input: { refreshToken: 's3cret', email: 'a@b.example' }, config: { databaseUrl: 's3cret' } })
  log.info({ 'x-api-key': 's3cret', headers: { 'x-api-key': 's3cret', cookie: 's3cret' } })
  expect(JSON.stringify(lines)).not.toContain('s3cret')
  expect(lines[1]).toMatchObject({ input: { refreshToken: '[redacted]', email: 'a@b.example' } })
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
