import type { GatewayContext, RequestRecord } from '../../gateway/context'
import { json } from '../../gateway/http/http-response'
import { Explanations, type Explanation } from '../../gateway/operations/explanations'

const sdl = 'type Query { a: Int }'
const viewer = { tenantId: 'ours', userId: 'u', scopes: new Set<string>() }

/** Explains one operation, during which statements of these tenants run under its request id. */
async function explained(tenants: string[], who: object | null): Promise<[Explanation | undefined, boolean]> {
  const explanations = new Explanations()
  const record = { requestId: 'r', anonymous: who === null, cost: 2.2 } as unknown as RequestRecord
  const front = explanations.explaining(
    {
      async answer(_request, _record, context) {
        await context()
        for (const tenantId of tenants)
          for (const actorId of ['u', 'colleague', null])
            await explanations.statement(
              'hr',
              { tenantId, actorId, requestId: 'r' },
              `of ${actorId} of ${tenantId}`,
              async () => 1,
            )
        return json(200, { data: { a: 1 } })
      },
    },
    { sdl: () => sdl, costLimit: 50 },
  )
  const request = { method: 'POST', headers: { 'x-explain': 'true' }, search: '', body: { query: '{ a }' } }
  const context = async () => ({ request: { viewer: who } }) as unknown as GatewayContext
  const { body } = await front.answer(request, record, context)
  const { extensions } = JSON.parse(body) as { extensions?: { explanation: Explanation } }
  return [extensions?.explanation, explanations.isIdle]
}

test('E4: statements of another tenant or of a colleague (dash 25) under the same request id are told nobody, and nothing is kept', async () => {
  const [explanation, isIdle] = await explained(['theirs', 'ours'], viewer)
  expect(explanation).toMatchObject({
    cost: { estimated: 3, limit: 50 },
    statements: [{ subgraph: 'hr', sql: 'of u of ours' }],
    access: [],
  })
  expect([explanation!.statements.length, isIdle]).toEqual([1, true])
  expect(await explained(['ours'], null)).toEqual([undefined, true])
})
