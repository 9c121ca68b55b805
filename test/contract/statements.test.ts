import { startGraph, type TestClient, type TestGraph } from '../support/graph'

let graph: TestGraph
let admin: TestClient

beforeAll(async () => {
  graph = await startGraph()
  const acme = await graph.tenant('acme')
  admin = await acme.as('ADMIN')
})
afterAll(() => graph?.close())

it('works', async () => {
  const sent = await graph.statementsDuring(async () =>
    console.log(
      JSON.stringify(
        await admin.query(
          '{ viewer { email fullName } tenant { name } employees { nodes { id } totalCount } }',
        ),
      ),
    ),
  )
  console.log(sent.map((s) => s.role + ' ' + s.text).join('\n'))
})
