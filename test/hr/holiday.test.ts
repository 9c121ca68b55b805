import { startGraph, type TestGraph } from '../support/graph'
import { change, userErrors } from '../support/lists'

let graph: TestGraph
beforeAll(async () => (graph = await startGraph()))
afterAll(() => graph.close())

test('a tenant has one holiday a day, in one statement a page', async () => {
  const acme = await (await graph.tenant('acme')).as('HR_MANAGER')
  const input = { name: 'Leap day', day: '2028-02-29' }
  expect(await change(acme, 'createHoliday', input, 'holiday { name day }')).toEqual(input)
  const [error, ...others] = await userErrors(acme, 'createHoliday', input)
  expect(error).toEqual({ code: 'DUPLICATE', message: 'day is a holiday already', field: ['day'] })
  expect(others).toEqual([])
  const list = () => acme.data('{ holidays { nodes { name day } } }')
  expect(await list()).toEqual({ holidays: { nodes: [input] } })
  expect((await graph.statementsDuring(list)).map(({ role }) => role)).toEqual(['hr'])
  const globex = await (await graph.tenant('globex')).as('ADMIN')
  expect(await globex.data('{ holidays { nodes { name } } }')).toEqual({ holidays: { nodes: [] } })
})
