import { buildSchema, getOperationAST, parse } from 'graphql'
import { preparedOperations } from '../../../gateway/execution/prepared-operations'
import type { GatewayRequest } from '../../../gateway/execution/query-plan'
import { createPlans } from '../../../gateway/plans/plans'

const sdl = 'type Query { a(n: Int): Int }'

test('prepared operations stay within bounds, whatever is asked; the one asked for last is kept', async () => {
  // Text of 25 characters in 5 tokens.
  const bytes = 2000 + 2 * 25 + 700 * 5
  let planned = 0
  const plans = createPlans({
    make: () => ({
      ready: Promise.resolve(),
      plan: async () => {
        planned++
        return '{"kind":"QueryPlan"}'
      },
      close: async () => undefined,
    }),
    maxBytes: 500,
  })
  const operations = preparedOperations(plans, 10 * bytes)
  operations.use({ sdl, schema: buildSchema(sdl) })
  const ask = async (n: number) => {
    const source = `{ a${n}: a }`.padEnd(25)
    const document = parse(source)
    const request = { source, document, operation: getOperationAST(document), queryHash: String(n) }
    await operations.get(request as GatewayRequest, new Map())
  }
  for (let n = 0; n < 200; n++) await ask(n)
  expect([operations.size, planned]).toEqual([10, 200])
  await ask(199)
  expect(planned).toBe(200)
  await ask(0)
  expect([operations.size, planned]).toEqual([10, 201])
})
