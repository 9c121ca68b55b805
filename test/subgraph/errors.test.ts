import { GraphQLError } from 'graphql'
import {
  badUserInput,
  conflict,
  errorCodes,
  forbidden,
  protocolCodes,
  overloaded,
  queryTooCostly,
  rateLimited,
  unauthenticated,
  unavailable,
  userError,
} from '../../kernel/errors'
import { maskError } from '../../kernel/execution/mask-error'
import { createLogger } from '../../kernel/process/log'

const lines: string[] = []
const log = createLogger({ logLevel: 'error' }, { write: (line: string) => void lines.push(line) })
beforeEach(() => {
  lines.length = 0
})

const masked = (error: unknown) => maskError(error, 'trace-1', log).toJSON()

test.each([
  [unauthenticated(), 'UNAUTHENTICATED', 'Sign in first'],
  [forbidden(), 'FORBIDDEN', 'You may not do this'],
  [badUserInput('no'), 'BAD_USER_INPUT', 'no'],
  [conflict('both'), 'CONFLICT', 'both'],
  [queryTooCostly('much'), 'QUERY_TOO_COSTLY', 'much'],
  // A mutation answers it in its payload: thrown elsewhere it is the caller's all the same.
  [userError('DUPLICATE', 'taken', ['email']), 'BAD_USER_INPUT', 'taken'],
  [unavailable(), 'SUBGRAPH_UNAVAILABLE', 'Part of the service does not answer. Try again.'],
])('%p leaves as it is, with the trace id', (error, code, message) => {
  expect(masked(error)).toEqual({ message, extensions: { code, traceId: 'trace-1' } })
})

test.each([
  [rateLimited(9), 'RATE_LIMITED', 'Too many requests. Try again in 9 seconds.'],
  [overloaded(9), 'OVERLOADED', 'Too much is going on at once. Try again in a moment.'],
])('%p says to programs too how long to wait', (error, code, message) => {
  const extensions = { code, traceId: 'trace-1', retryAfterSeconds: 9 }
  expect(masked(error)).toEqual({ message, extensions })
  expect(masked(maskError(error, 'trace-1', log))).toEqual({ message, extensions })
})

test('K7 a message that repeats what was sent keeps what it says about it', () => {
  const long = 'x'.repeat(50_000)
  const { message } = masked(badUserInput(`Wrong: "${long}" at "input.plan"; "${long}" is none`))
  const brief = `${'x'.repeat(100)}…`
  expect(message).toBe(`Wrong: "${brief}" at "input.plan"; "${brief}" is none`)
  const unquoted = masked(badUserInput(`Wrong: ${long} at the end`)).message
  expect([unquoted.length, unquoted.slice(0, 8), unquoted.slice(-11)]).toEqual([
    1003,
    'Wrong: x',
    ' at the end',
  ])
})

test.each([...errorCodes, ...protocolCodes].filter((code) => code !== 'INTERNAL_SERVER_ERROR'))(
  'an error of anybody’s with code %s keeps its message and loses all other extensions',
  (code) => {
    const error = new GraphQLError('said', {
      extensions: { code, stacktrace: ['/srv/x.ts'], serviceName: 'hr' },
    })
    expect(masked(error)).toEqual({ message: 'said', extensions: { code, traceId: 'trace-1' } })
  },
)

const internal = {
  message: 'Internal server error',
  extensions: { code: 'INTERNAL_SERVER_ERROR', traceId: 'trace-1' },
}

test.each([
  ['an error', new Error('connect to 10.0.0.1 failed')],
  ['a GraphQL error without code', new GraphQLError('Cannot return null for non-nullable field A.b')],
  ['a code nobody knows', new GraphQLError('x', { extensions: { code: 'ECONNREFUSED' } })],
  [
    'an internal error with a message',
    new GraphQLError('dsn=…', { extensions: { code: 'INTERNAL_SERVER_ERROR' } }),
  ],
  ['a text', 'secret'],
  ['nothing', undefined],
])('%s becomes the same internal error', (_what, error) => {
  expect(masked(error)).toEqual(internal)
  expect(lines).toHaveLength(1)
})

test('path and locations stay', () => {
  const located = {
    message: 'x',
    path: ['users', 0, 'name'],
    locations: [{ line: 1, column: 3 }],
    extensions: { code: 'FORBIDDEN' },
  }
  expect(masked(located)).toEqual({
    ...located,
    extensions: { code: 'FORBIDDEN', traceId: 'trace-1' },
  })
  expect(masked(new GraphQLError('boom', { path: ['users', 1], originalError: new Error('boom') }))).toEqual({
    ...internal,
    path: ['users', 1],
  })
})

test('the log has the cause under the trace id, without what a driver attaches to it', () => {
  const cause = Object.assign(new Error('duplicate key value violates unique constraint "users_email_key"'), {
    code: '23505',
    constraint: 'users_email_key',
    detail: 'Key (email)=(ada@example.com) already exists.',
    parameters: ['ada@example.com', '$2b$12$hash'],
  })
  masked(new GraphQLError(cause.message, { path: ['createUser'], originalError: cause }))
  expect(JSON.parse(lines[0]!)).toMatchObject({
    level: 'error',
    requestId: 'trace-1',
    path: ['createUser'],
    err: { message: cause.message, code: '23505', constraint: 'users_email_key' },
  })
  expect(lines[0]).not.toContain('ada@example.com')
  expect(lines[0]).not.toContain('$2b$12$hash')
})

test('masking again changes and logs nothing', () => {
  const once = maskError(new Error('boom'), 'trace-1', log)
  expect(maskError(once, 'trace-1', log).toJSON()).toEqual(once.toJSON())
  expect(maskError(once.toJSON(), 'trace-1', log).toJSON()).toEqual(once.toJSON())
  expect(lines).toHaveLength(1)
})

test('what is not our fault is not logged; what does not answer is, with its cause', () => {
  masked(badUserInput('no'))
  expect(lines).toEqual([])
  masked(unavailable(undefined, new Error('ECONNREFUSED 10.0.0.1')))
  expect(lines[0]).toContain('ECONNREFUSED 10.0.0.1')
})

test('a text that PostgreSQL cannot store is the caller’s error', () => {
  const cause = Object.assign(new Error('invalid byte sequence for encoding "UTF8": 0x00'), { code: '22021' })
  expect(masked(new GraphQLError(cause.message, { path: ['users'], originalError: cause }))).toEqual({
    message: 'A text may not contain the NUL character',
    path: ['users'],
    extensions: { code: 'BAD_USER_INPUT', traceId: 'trace-1' },
  })
  expect(lines).toEqual([])
})

test.each([
  ['53100', 'SUBGRAPH_UNAVAILABLE', 'Part of the service does not answer. Try again.'],
  ['57P01', 'SUBGRAPH_UNAVAILABLE', 'Part of the service does not answer. Try again.'],
  ['08006', 'SUBGRAPH_UNAVAILABLE', 'Part of the service does not answer. Try again.'],
  ['ECONNREFUSED', 'SUBGRAPH_UNAVAILABLE', 'Part of the service does not answer. Try again.'],
  ['40P01', 'CONFLICT', 'Somebody else changed the same at the same moment. Try again.'],
  ['57014', 'QUERY_TOO_COSTLY', 'This took longer than allowed. Ask for less, or try again.'],
  ['42501', 'INTERNAL_SERVER_ERROR', 'Internal server error'],
])('O17: what PostgreSQL says with %s is %s, and its words stay in the log', (sqlState, code, message) => {
  const cause = Object.assign(new Error('db.internal.example: no room in hr.departments'), { code: sqlState })
  const error = new GraphQLError('wrapped', { originalError: cause, path: ['departments'] })
  const shown = masked(error)
  expect(shown).toEqual({ message, path: ['departments'], extensions: { code, traceId: 'trace-1' } })
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('no room in hr.departments')
  expect(masked(maskError(error, 'trace-1', log))).toEqual(shown)
})
