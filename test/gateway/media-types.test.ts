import { startTestGateway, type TestGateway } from './fixtures/start'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startTestGateway()
})
afterAll(() => gateway.close())

const legacy = 'application/json; charset=utf-8'
const current = 'application/graphql-response+json; charset=utf-8'

const answered = '{"query":"{ __typename }"}'
/** What is sent, and its statuses by the draft: with `application/graphql-response+json`, and with `application/json`. */
const cases: [name: string, body: string, current: number, legacy: number][] = [
  ['an operation', answered, 200, 200],
  ['errors beside data', '{"query":"{ boom asked { userId } }"}', 200, 200],
  ['a document that does not parse', '{"query":"{"}', 400, 200],
  ['a document that does not validate', '{"query":"{ nope }"}', 400, 200],
  ['a document beyond a bound', `{"query":"{ ${'asked '.repeat(300)} }"}`, 400, 200],
  [
    'variables that cannot be coerced',
    '{"query":"query($n: Int) { users(first: $n) { edges { node { id } } } }","variables":{"n":"x"}}',
    400,
    200,
  ],
  ['an operation that is not in the document', '{"query":"query A { boom }","operationName":"B"}', 400, 200],
  ['several operations and no name', '{"query":"query A { boom } query B { boom }"}', 400, 200],
  ['a kind of operation that the schema lacks', '{"query":"subscription { boom }"}', 400, 200],
  ['a body that is no JSON', '{', 400, 400],
  ['no body', '', 400, 400],
  ['a batch', '[{"query":"{ __typename }"}]', 400, 400],
  ['no query', '{}', 400, 400],
  ['a query that is no text', '{"query":1}', 400, 400],
  ['variables that are no object', '{"query":"{ __typename }","variables":[]}', 400, 400],
]

describe('G11 statuses by media type, as the GraphQL over HTTP draft has them', () => {
  const post = (body: string, headers: Record<string, string | undefined>) =>
    gateway.fetch('/graphql', {
      method: 'POST',
      headers: Object.entries({ 'content-type': 'application/json', ...headers }).filter(
        (pair): pair is [string, string] => pair[1] !== undefined,
      ),
      // A text would bring a content type of its own.
      body: Buffer.from(body),
    })

  const accepts: [accept: string | undefined, type: string][] = [
    [undefined, current],
    ['*/*', current],
    ['application/graphql-response+json', current],
    ['application/graphql-response+json, application/json;q=0.9', current],
    ['application/json', legacy],
    ['application/json, application/graphql-response+json;q=0.5', legacy],
    ['application/json, text/plain, */*', legacy],
  ]

  it.each(accepts.flatMap(([accept, type]) => cases.map((each) => [accept, type, ...each] as const)))(
    'accept %s → %s: %s',
    async (accept, type, _name, body, ofCurrent, ofLegacy) => {
      // As seen first, and again: what is known goes another way.
      for (let n = 0; n < 2; n++) {
        const answer = await post(body, { accept })
        expect(answer.status).toBe(type === current ? ofCurrent : ofLegacy)
        // What is no GraphQL request has no answer of GraphQL.
        if (body.startsWith('{"query":"')) expect(answer.headers.get('content-type')).toBe(type)
        expect(answer.body.errors?.length ?? 0).toBe(body === answered ? 0 : 1)
      }
    },
  )

  it.each(['text/html', 'application/xml', 'application/json;q=0'])(
    'accept %s: not acceptable',
    async (accept) => {
      expect((await post('{"query":"{ __typename }"}', { accept })).status).toBe(406)
    },
  )

  it.each([
    [undefined, 415],
    ['application/graphql', 415],
    ['text/plain', 415],
    ['application/json; charset=utf-16', 415],
    ['application/json', 200],
    ['application/json;charset=utf-8', 200],
    ['Application/JSON; charset="UTF-8"', 200],
  ])('content type %s: %i, preflighted or not', async (type, status) => {
    for (const preflight of [undefined, '1']) {
      const headers = { 'content-type': type, 'apollo-require-preflight': preflight }
      const answer = await post('{"query":"{ __typename }"}', headers)
      expect(answer.status).toBe(status)
      if (status === 415)
        expect(answer.body.errors?.[0]).toMatchObject({
          message: `Send the operation as JSON with content-type: application/json, not ${type ?? 'none'}`,
          extensions: { code: 'BAD_USER_INPUT' },
        })
    }
  })
})
