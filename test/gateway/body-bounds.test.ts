import fc from 'fast-check'
import { GraphQLError } from 'graphql'
import { bodyFault, deepestBody, mostBodyValues } from '../../gateway/http/body-bounds'
import type { ViewerResolver } from '../../gateway/operations/viewer'
import { startTestGateway, viewer, type TestGateway } from './fixtures/start'

/** Says what the scan counts of a value: members and items after the first of each, objects and lists. */
function countOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const inner: unknown[] = Object.values(value)
  return 1 + Math.max(0, inner.length - 1) + inner.reduce((sum: number, one) => sum + countOf(one), 0)
}
const blanks = ' '.repeat(2000)
const nested = (levels: number) => `${'['.repeat(levels)}${blanks}${']'.repeat(levels)}`

describe('the scan of a body', () => {
  test('counts what a parser would make, whatever strings hold', () => {
    const text = fc.string({ unit: fc.constantFrom('"', '\\', ',', '[', '{', '}', ']', ':', 'a', '\n', 'é') })
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        text,
        fc.integer(),
        fc.array(tie('tree')),
        fc.dictionary(text, tie('tree')),
      ),
    }))
    fc.assert(
      fc.property(tree, (value) => {
        const json = blanks + JSON.stringify(value)
        const count = countOf(value)
        expect(bodyFault(json, count)).toBeNull()
        if (count > 0) expect(bodyFault(json, count - 1)).toBe('values')
      }),
    )
  })

  test('finds one level too many, and none in strings', () => {
    expect(bodyFault(nested(deepestBody), 1000)).toBeNull()
    expect(bodyFault(nested(deepestBody + 1), 1000)).toBe('depth')
    expect(bodyFault(`["${'['.repeat(5000)}"]`, 1000)).toBeNull()
  })

  test('leaves alone what ends within a string, which is no JSON', () => {
    expect(bodyFault(`{"a${',['.repeat(5000)}\\"`, 1000)).toBeNull()
  })
})

const refusal = new GraphQLError('The access token is not valid: sign in again', {
  extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } },
})

describe('a body of somebody whose token', () => {
  let gateway: TestGateway
  let verified: string[]
  const resolveViewer: ViewerResolver = async (headers) => {
    const authorization = headers.get('authorization')
    if (authorization === undefined) return null
    if (authorization === 'Bearer signed') return viewer
    throw refusal
  }
  resolveViewer.isSigned = (headers) => {
    const authorization = headers.get('authorization') ?? 'none'
    verified.push(authorization)
    return authorization === 'Bearer signed'
  }
  beforeAll(async () => {
    gateway = await startTestGateway({ callersSignIn: true, resolveViewer })
  })
  beforeEach(() => (verified = []))
  afterAll(() => gateway.close())

  const list = (items: number) => `[${'1,'.repeat(items - 1)}1]`
  const send = async (variables: string, authorization?: string) => {
    const answer = await gateway.fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
      body: `{"query":"{ asked { userId } }","variables":{"x":${variables}}}`,
    })
    return [
      answer.status,
      answer.body.data ??
        answer.body.errors?.map(({ message, extensions }) => [extensions.code, message]).flat(),
    ]
  }
  const unknown = [401, ['UNAUTHENTICATED', 'The access token is not valid: sign in again']]
  const tooMany = (most: number) => [
    413,
    ['BAD_USER_INPUT', `The request body holds more than ${most} values: send them in several requests`],
  ]
  const tooDeep = [
    400,
    ['BAD_USER_INPUT', 'The request body is nested more than 64 levels deep: send flatter variables'],
  ]
  // The body itself has one member after the first, and two objects around the list.
  const around = 4

  test('does not verify may hold what an anonymous one may (attack 1)', async () => {
    const large = `"${'x'.repeat(65 * 1024)}"`
    expect(await send(large, 'Bearer x')).toEqual(unknown)
    expect(await send(list(1001 - around + 1), 'Bearer x')).toEqual(unknown)
    expect(await send(large)).toEqual([
      413,
      ['BAD_USER_INPUT', 'The request body is larger than 65536 bytes'],
    ])
    expect(await send(list(1000 - around + 2))).toEqual(tooMany(1000))
    expect((await send(list(1000 - around + 1)))[0]).toBe(200)
  })

  test('verifies may hold ten times as much, and not more (attack 1c)', async () => {
    const most = mostBodyValues - around + 1
    expect((await send(`"${'x'.repeat(65 * 1024)}"`, 'Bearer signed'))[0]).toBe(200)
    expect((await send(list(most), 'Bearer signed'))[0]).toBe(200)
    expect(await send(list(most + 1), 'Bearer signed')).toEqual(tooMany(10_000))
  })

  test('nobody sends more than 64 levels (attack 1b)', async () => {
    for (const authorization of [undefined, 'Bearer x', 'Bearer signed'])
      expect(await send(nested(500), authorization)).toEqual(tooDeep)
    // Variables begin at the second level.
    expect((await send(nested(30), 'Bearer signed'))[0]).toBe(200)
  })

  test('is not asked for while anybody may send as much', async () => {
    await send(list(900), 'Bearer signed')
    expect(verified).toEqual([])
    await send(list(1000), 'Bearer signed')
    expect(verified).toEqual(['Bearer signed'])
  })

  test('of a resolver that verifies nothing gains nothing', async () => {
    const plain = await startTestGateway({ callersSignIn: true, resolveViewer: async () => viewer })
    const body = JSON.stringify({ query: '{ asked { userId } }', variables: { x: 'x'.repeat(65 * 1024) } })
    const headers = { 'content-type': 'application/json', authorization: 'Bearer signed' }
    const answer = await plain.fetch('/graphql', { method: 'POST', headers, body })
    await plain.close()
    expect([answer.status, answer.body.errors?.[0]?.message]).toEqual([
      413,
      'The request body is larger than 65536 bytes',
    ])
  })

  test('a key that is not known gains nothing before it is looked up, and one look-up answers for it (A6)', async () => {
    const known = new Set(['known'])
    const lookedUp: string[] = []
    const resolve: ViewerResolver = async (headers) => {
      const key = headers.get('x-api-key')
      if (key === undefined) return null
      lookedUp.push(key)
      if (key === 'wrong') throw refusal
      known.add(key)
      return viewer
    }
    resolve.isSigned = (headers) => known.has(headers.get('x-api-key') ?? '')
    const own = await startTestGateway({ callersSignIn: true, resolveViewer: resolve })
    const ask = async (key: string, variables: string, headers: Record<string, string> = {}) => {
      const answer = await own.fetch('/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': key, ...headers },
        body: `{"query":"{ asked { userId } }","variables":{"x":${variables}}}`,
      })
      return [answer.status, answer.body.errors?.[0]?.message]
    }
    try {
      const wrong = [401, 'The access token is not valid: sign in again']
      for (const variables of [`"${'x'.repeat(65 * 1024)}"`, list(1001), '1'])
        expect(await ask('wrong', variables)).toEqual(wrong)
      expect(lookedUp.splice(0)).toEqual(['wrong', 'wrong', 'wrong'])
      // One that nobody has used here yet is looked up first, once for its request; then it is known.
      expect(await ask('good', list(1001))).toEqual([200, undefined])
      expect(await ask('good', `"${'x'.repeat(65 * 1024)}"`)).toEqual([200, undefined])
      expect(lookedUp.splice(0)).toEqual(['good', 'good'])
      expect(await ask('good', list(10_001))).toEqual([
        413,
        'The request body holds more than 10000 values: send them in several requests',
      ])
      expect(lookedUp).toEqual([])
    } finally {
      await own.close()
    }
  })

  test('variables of a GET are bounded alike', async () => {
    const query = encodeURIComponent('{ asked { userId } }')
    const ask = async (variables: string) => {
      const url = `/graphql?query=${query}&variables=${encodeURIComponent(variables)}`
      const answer = await gateway.fetch(url, {
        headers: { accept: 'application/graphql-response+json' },
      })
      return [answer.status, answer.body.errors?.[0]?.message]
    }
    expect(await ask(`{"x":${'['.repeat(1200)}${']'.repeat(1200)}}`)).toEqual([
      400,
      'What the variables hold is nested more than 64 levels deep: send flatter variables',
    ])
    expect(await ask(`{"x":${'['.repeat(20)}${']'.repeat(20)}}`)).toEqual([200, undefined])
  })
})
