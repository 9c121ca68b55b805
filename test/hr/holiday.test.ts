import { startGraph, type TestGraph } from '../support/graph'

let graph: TestGraph
beforeAll(async () => (graph = await startGraph()))
afterAll(() => graph.close())

const create = `mutation ($input: CreateHolidayInput!) {
  createHoliday(input: $input) { holiday { name day } userErrors { message field } }
}`

test('a tenant has one holiday a day, in one statement a page', async () => {
  const acme = await (await graph.tenant('acme')).as('HR_MANAGER')
  const input = { name: 'Leap day', day: '2028-02-29' }
  expect(await acme.data(create, { input })).toEqual({ createHoliday: { holiday: input, userErrors: [] } })
  expect(await acme.data(create, { input })).toEqual({
    createHoliday: { holiday: null, userErrors: [{ message: 'day is a holiday already', field: ['day'] }] },
  })
  const list = () => acme.data('{ holidays { nodes { name day } } }')
  expect(await list()).toEqual({ holidays: { nodes: [input] } })
  expect((await graph.statementsDuring(list)).map(({ role }) => role)).toEqual(['hr'])
  const globex = await (await graph.tenant('globex')).as('ADMIN')
  expect(await globex.data('{ holidays { nodes { name } } }')).toEqual({ holidays: { nodes: [] } })
})
