import { GraphQLError } from 'graphql'
import { startTestGateway, type Answer, type TestGateway } from './fixtures/start'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Status, codes and paths of an answer, and the proof that its errors hold nothing else. */
function faults(answer: Answer): { status: number; errors: unknown[] } {
  const errors = answer.body.errors ?? []
  for (const error of errors) {
    expect(Object.keys(error.extensions)).toEqual(['code', 'traceId'])
    expect(error.extensions.traceId).toBe(answer.headers.get('x-request-id'))
  }
  return {
    status: answer.status,
    errors: errors.map(({ message, path, extensions }) => [extensions.code, message, path]),
  }
}

let gateway: TestGateway

beforeAll(async () => {
  gateway = await startTestGateway()
})
afterAll(() => gateway.close())

describe('one graph', () => {
  it('joins three subgraphs in one answer', async () => {
    const answer = await gateway.ask('{ user(id: "2") { name employee { title salary claims { amount } } } }')
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({
      data: {
        user: { name: 'User 2', employee: { title: 'Title e2', salary: 200, claims: [{ amount: 10 }] } },
      },
    })
  })

  it('tells every subgraph the same request', async () => {
    const query = '{ asked { requestId userId tenantId scopes clientIp userAgent } }'
    const answer = await gateway.ask(query, { headers: { 'x-request-id': 'trace-1', 'user-agent': 'jest' } })
    expect(answer.body.data).toEqual({
      asked: {
        requestId: 'trace-1',
        userId: '01900000-0000-7000-8000-000000000002',
        tenantId: '01900000-0000-7000-8000-000000000001',
        scopes: ['hr:salary:read'],
        clientIp: '127.0.0.1',
        userAgent: 'jest',
      },
    })
  })

  it('answers introspection', async () => {
    const answer = await gateway.ask('{ __type(name: "User") { fields { name } } }')
    expect(answer.body.data).toEqual({
      __type: { fields: ['id', 'employee', 'name', 'friends'].map((name) => ({ name })) },
    })
  })

  it('answers a GET of a preflighted query', async () => {
    const answer = await gateway.fetch(`/graphql?query=${encodeURIComponent('{ user(id: "1") { name } }')}`, {
      headers: { 'apollo-require-preflight': 'true' },
    })
    expect(answer.body).toEqual({ data: { user: { name: 'User 1' } } })
  })

  it('keeps a persisted query by its hash', async () => {
    const sha256Hash = 'ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38'
    const post = (body: object) =>
      gateway.fetch('/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...body, extensions: { persistedQuery: { version: 1, sha256Hash } } }),
      })
    expect(faults(await post({}))).toEqual({
      status: 200,
      errors: [['PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound', undefined]],
    })
    expect(faults(await post({ query: '{ boom }' }))).toEqual({
      status: 400,
      errors: [['BAD_USER_INPUT', 'provided sha does not match query', undefined]],
    })
    expect((await post({ query: '{__typename}' })).body).toEqual({ data: { __typename: 'Query' } })
    expect((await post({})).body).toEqual({ data: { __typename: 'Query' } })
  })
})

describe('errors', () => {
  it.each<[name: string, body: string, status: number, code: string, message: string | RegExp]>([
    ['malformed JSON', '{"query":', 400, 'BAD_USER_INPUT', 'The request body is not valid JSON'],
    ['no query', '{"variables":{}}', 400, 'BAD_USER_INPUT', /must contain a non-empty `query`/],
    ['G13 a batch', '[{"query":"{__typename}"}]', 400, 'BAD_USER_INPUT', /^Send one operation per request/],
    ['G13 nothing', '', 400, 'BAD_USER_INPUT', 'The request body is empty: send {"query": "…"}'],
    ['a query that is no text', '{"query":{"kind":"Document"}}', 400, 'BAD_USER_INPUT', /must be strings/],
    [
      'bad syntax',
      '{"query":"{ user("}',
      400,
      'GRAPHQL_PARSE_FAILED',
      'Syntax Error: Expected Name, found <EOF>.',
    ],
    [
      'an unknown field',
      '{"query":"{ nobody }"}',
      400,
      'GRAPHQL_VALIDATION_FAILED',
      'Cannot query field "nobody" on type "Query".',
    ],
    [
      'an unknown operation',
      '{"query":"query A { boom }","operationName":"B"}',
      400,
      'BAD_USER_INPUT',
      'The document has no operation named "B"',
    ],
    [
      'no operation named',
      '{"query":"query A { boom } query B { boom }"}',
      400,
      'BAD_USER_INPUT',
      'The document has several operations: name one in operationName',
    ],
    [
      'a wrong variable',
      '{"query":"query($first: Int) { users(first: $first) { edges { node { id } } } }","variables":{"first":"x"}}',
      400,
      'BAD_USER_INPUT',
      /^Variable "\$first" got invalid value "x"/,
    ],
    [
      'a missing variable',
      '{"query":"query($id: ID!) { user(id: $id) { id } }"}',
      400,
      'BAD_USER_INPUT',
      'Variable "$id" of required type "ID!" was not provided.',
    ],
    [
      'variables that are no object',
      '{"query":"{ boom }","variables":[1]}',
      400,
      'BAD_USER_INPUT',
      '`variables` in a POST body must be an object if provided.',
    ],
    [
      'a subscription',
      '{"query":"subscription { boom }"}',
      400,
      'BAD_USER_INPUT',
      'The schema has no subscription type',
    ],
  ])('%s: code and message, and no subgraph is asked', async (_name, body, status, code, message) => {
    const before = gateway.state.calls.length
    const answer = await gateway.fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    const expected: unknown = typeof message === 'string' ? message : expect.stringMatching(message)
    expect(faults(answer)).toEqual({ status, errors: [[code, expected, undefined]] })
    expect(gateway.state.calls).toHaveLength(before)
  })

  it('masks what a resolver did not mean for the caller, logs it, and keeps the path', async () => {
    const answer = await gateway.ask('{ a: boom asked { requestId } }')
    expect(faults(answer)).toEqual({
      status: 200,
      errors: [['INTERNAL_SERVER_ERROR', 'Internal server error', ['a']]],
    })
    expect(answer.text).not.toContain('hunter2')
    expect(answer.body.data).toMatchObject({
      a: null,
      asked: { requestId: answer.headers.get('x-request-id') },
    })
    const logged = gateway.lines.find(
      (line) => line.msg === 'request failed' && line.requestId === answer.headers.get('x-request-id'),
    )
    expect(logged).toMatchObject({ path: ['a'] })
  })

  it('passes known codes on, without what else a subgraph attached', async () => {
    const answer = await gateway.ask('{ forbidden }')
    expect(faults(answer)).toEqual({
      status: 200,
      errors: [['FORBIDDEN', 'You may not do this', ['forbidden']]],
    })
  })

  it('gives errors of entities their place in the whole answer, the same refusal once for a field (G14)', async () => {
    const anonymous = await startTestGateway({ resolveViewer: async () => null })
    const answer = await anonymous.ask('{ users(first: 2) { edges { node { id e: employee { salary } } } } }')
    await anonymous.close()
    expect(faults(answer)).toEqual({
      status: 200,
      errors: [['FORBIDDEN', 'You may not do this', ['users', 'edges', 0, 'node', 'e', 'salary']]],
    })
    expect(answer.body.data).toEqual({
      users: { edges: ['1', '2'].map((id) => ({ node: { id, e: { salary: null } } })) },
    })
  })

  it('tells of a null that breaks the schema, and logs it once (G1)', async () => {
    const answer = await gateway.ask('{ user(id: "3") { name employee { grade } } }')
    expect(answer.body.data).toEqual({ user: { name: 'User 3', employee: null } })
    expect(faults(answer)).toEqual({
      status: 200,
      errors: [
        [
          'SUBGRAPH_INVALID_ANSWER',
          'Cannot return null for non-nullable field Employee.grade.',
          ['user', 'employee', 'grade'],
        ],
      ],
    })
    const lines = gateway.lines.filter(
      ({ msg }) => msg === 'subgraphs answered what the schema does not allow',
    )
    expect(lines).toEqual([
      expect.objectContaining({ requestId: answer.headers.get('x-request-id'), count: 1 }),
    ])
  })

  it('tells of the first wrong variables, and of nothing that is our own (K3)', async () => {
    const names = [...'abcdefgh']
    const answer = await gateway.ask(
      `query (${names.map((name) => `$${name}: Int`).join(' ')}) {
        ${names.map((name) => `${name}: users(first: $${name}) { edges { node { id } } }`).join(' ')}
      }`,
      { variables: Object.fromEntries(names.map((name) => [name, 'x'])) },
    )
    expect(answer.status).toBe(400)
    expect(answer.body.errors).toHaveLength(5)
    expect(new Set(answer.body.errors!.map(({ extensions }) => extensions.code))).toEqual(
      new Set(['BAD_USER_INPUT']),
    )
  })

  it('refuses credentials that are no longer good for the whole request', async () => {
    const refusing = await startTestGateway({
      resolveViewer: async () => {
        throw new GraphQLError('The session has ended: sign in again', {
          extensions: {
            code: 'UNAUTHENTICATED',
            http: { status: 401, headers: new Map([['www-authenticate', 'Bearer']]) },
          },
        })
      },
    })
    const answer = await refusing.ask('{ user(id: "1") { id } }')
    await refusing.close()
    expect(faults(answer)).toEqual({
      status: 401,
      errors: [['UNAUTHENTICATED', 'The session has ended: sign in again', undefined]],
    })
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    expect(refusing.state.calls).toEqual([])
  })

  it('masks a failure to find out who asks', async () => {
    const failing = await startTestGateway({
      resolveViewer: async () => {
        throw new Error('connect ECONNREFUSED 10.0.0.7:5432')
      },
    })
    const answer = await failing.ask('{ user(id: "1") { id } }')
    await failing.close()
    expect(faults(answer)).toEqual({
      status: 500,
      errors: [['INTERNAL_SERVER_ERROR', 'Internal server error', undefined]],
    })
    expect(failing.state.calls).toEqual([])
  })
})

describe('cross-site requests', () => {
  const query = encodeURIComponent('mutation { rename(id: "1", name: "Mallory") { id } }')

  const form = (type: string) => ({
    method: 'POST',
    headers: { 'content-type': type },
    body: '{"query":"{__typename}"}',
  })
  const json = 'Send the operation as JSON with content-type: application/json, not '

  it.each<[string, string, RequestInit, number, unknown]>([
    ['a form post', '/graphql', form('text/plain'), 415, `${json}text/plain`],
    [
      'an encoded form post',
      '/graphql',
      form('application/x-www-form-urlencoded'),
      415,
      `${json}application/x-www-form-urlencoded`,
    ],
    ['a link', `/graphql?query=${query}`, {}, 400, expect.stringContaining('Cross-Site Request Forgery')],
  ])('%s is refused before anybody is looked up', async (_name, path, init, status, message) => {
    const looked = jest.fn(async () => null)
    const own = await startTestGateway({ resolveViewer: looked })
    const answer = await own.fetch(path, init)
    await own.close()
    expect(faults(answer)).toEqual({ status, errors: [['BAD_USER_INPUT', message, undefined]] })
    expect([looked.mock.calls.length, own.state.names.get('1')]).toEqual([0, 'User 1'])
  })

  it('G12 takes the media type of GraphQL answers for a proof, which no form, link or image can send', async () => {
    const get = (headers: Record<string, string>) =>
      gateway.fetch(`/graphql?query=${encodeURIComponent('{ user(id: "1") { name } }')}`, { headers })
    const answer = await get({ accept: 'application/graphql-response+json' })
    expect([answer.status, answer.body]).toEqual([200, { data: { user: { name: 'User 1' } } }])
    expect((await get({ accept: 'application/json' })).status).toBe(400)
  })

  it('refuses a mutation by GET', async () => {
    const answer = await gateway.fetch(`/graphql?query=${query}`, {
      headers: { 'apollo-require-preflight': '1' },
    })
    expect(faults(answer)).toEqual({
      status: 405,
      errors: [
        ['BAD_USER_INPUT', 'GET requests only support query operations, not mutation operations', undefined],
      ],
    })
    expect(answer.headers.get('allow')).toBe('POST')
    expect(gateway.state.names.get('1')).toBe('User 1')
  })

  it.each(['PUT', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
    const answer = await gateway.fetch('/graphql', { method, headers: { 'apollo-require-preflight': '1' } })
    expect(answer.status).toBe(405)
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('request id', () => {
  it.each(['a'.repeat(65), 'two words', 'semi;colon', ''])('replaces %p by one of its own', async (given) => {
    const answer = await gateway.ask('{ boom }', { headers: { 'x-request-id': given } })
    expect(answer.headers.get('x-request-id')).toMatch(uuid)
    expect(answer.body.errors?.[0]?.extensions.traceId).toBe(answer.headers.get('x-request-id'))
  })

  it('leaves one line in the log: who, what, how long, and no variables', async () => {
    await gateway.ask('query Find($id: ID!) { user(id: $id) { id } boom }', {
      variables: { id: 'personal' },
      headers: { 'x-request-id': 'logged-1' },
    })
    const line = gateway.lines.find(({ msg, requestId }) => msg === 'request' && requestId === 'logged-1')
    expect(line).toMatchObject({
      level: 30,
      operationName: 'Find',
      status: 200,
      tenantId: '01900000-0000-7000-8000-000000000001',
      userId: '01900000-0000-7000-8000-000000000002',
      errors: ['INTERNAL_SERVER_ERROR'],
    })
    expect(typeof line?.ms).toBe('number')
    expect(JSON.stringify(gateway.lines)).not.toContain('personal')
  })
})
