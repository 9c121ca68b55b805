import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import { buildSchema, getOperationAST, parse, validate, type FieldNode } from 'graphql'
import { dashboardDocuments, dashboardOperations } from '../../gateway/http/dashboard'
import { readExamples } from '../../gateway/http/explorer'
import { ownFile } from '../../gateway/http/pages/page'
import { readPersistedDocuments } from '../../gateway/operations/persisted-documents'
import type { Explanation } from '../../gateway/operations/explanations'
import { projectRoot } from '../../kernel/process/config'
import { demoOf } from '../../product/pages'
import { demoSlugs, demoUserNames, type DemoSlug, type DemoUserName } from '../../database/demo/ids'
import { requirementOf } from '../../registry/access'
import { readSchema } from '../../registry/schema-model'
import { startGraph, type TestClient, type TestGraph } from '../support/graph'

let graph: TestGraph
beforeAll(async () => {
  graph = await startGraph({ demo: true })
})
afterAll(() => graph.close())

interface Card {
  title: string
  needs: string[]
  operation: string
  rows: string
}

function cards(): Card[] {
  const page: { cards?: Card[] } = {}
  runInNewContext(readFileSync(ownFile('dashboard', 'cards.js'), 'utf8'), page)
  return page.cards!
}

const supergraph = readSchema(parse(readFileSync(`${projectRoot}/schema/supergraph.graphql`, 'utf8')))

/** The scopes that the fields at the root of an operation take, one way to hold each. */
function scopesOf(text: string): string[] {
  const fields = getOperationAST(parse(text))!.selectionSet.selections as FieldNode[]
  const query = supergraph.types.get('Query')!
  return [
    ...new Set(
      fields.flatMap(({ name }) =>
        requirementOf(query.fields.get(name.value)!).flatMap((clause) =>
          clause.at(-1)!.filter((one) => one.includes(':')),
        ),
      ),
    ),
  ]
}

test('the dashboard asks what the schema has, and a card needs what its question and its rows do', () => {
  const api = buildSchema(readFileSync(`${projectRoot}/schema/api.graphql`, 'utf8'))
  const operations = dashboardOperations()
  for (const text of dashboardDocuments()) expect(validate(api, parse(text))).toEqual([])
  const all = cards()
  expect(all.length).toBeGreaterThan(10)
  for (const { title, needs, operation, rows } of all) {
    const asked = [...scopesOf(operations[operation]!), ...scopesOf(operations[rows]!)]
    // A measure may ask for more than its list.
    expect([title, needs]).toEqual([title, expect.arrayContaining(asked)])
  }
  // Where only known documents are executed, those of the page are.
  const known = readPersistedDocuments([], dashboardDocuments())
  expect(Object.values(operations).filter((text) => !known.has(text))).toEqual([])
})

const expectedErrors: Readonly<Record<string, string>> = { Salaries: 'FORBIDDEN' }

test('E9: ten examples answer as whom they are written for, each with what it is to show', async () => {
  const examples = readExamples()
  expect(examples.map(({ name }) => name)).toHaveLength(10)
  const people = new Map<string, TestClient>()
  for (const { name, query, as = '', variables } of examples) {
    const [user, slug] = as.split(' of ') as [DemoUserName, DemoSlug]
    const who = people.get(as) ?? (await graph.demo(slug, user))
    people.set(as, who)
    const { data, errors = [] } = await who.query<Record<string, unknown>>(query, variables)
    const codes = [...new Set(errors.map(({ extensions }) => extensions.code))]
    const operation = getOperationAST(parse(query))!.name!.value
    expect([name, codes]).toEqual([name, [expectedErrors[operation] ?? []].flat()])
    expect([name, Object.values(data ?? {}).every((value) => value !== null)]).toEqual([name, true])
  }
})

async function explained(who: TestClient, query: string, headers: Record<string, string> = {}) {
  const response = await fetch(graph.server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-explain': 'true', ...who.headers, ...headers },
    body: JSON.stringify({ query }),
  })
  return (await response.json()) as { data?: unknown; extensions?: { explanation: Explanation } }
}

test('E4: an answer says how it came about to whoever is signed in and asks', async () => {
  const viewer = await graph.demo('acme', 'viewer')
  const query =
    '{ customers(first: 2) { nodes { fullName } } employees(first: 1) { nodes { fullName salary { amount } } } }'
  const sent = await graph.statementsDuring(() => viewer.query(query))
  const { data, extensions } = await explained(viewer, query)
  expect(data).toMatchObject({ employees: { nodes: [{ salary: null }] } })
  const { cost, fetches, statements, access, ms } = extensions!.explanation
  expect(cost).toEqual({ estimated: expect.any(Number) as number, limit: 50_000 })
  expect(cost.estimated).toBeGreaterThan(3)
  expect(fetches.map(({ subgraph }) => subgraph).sort()).toEqual(['hr', 'insights'])
  const withoutTrail = (text: string) => !text.includes('audit_logs')
  expect(
    statements
      .map(({ sql }) => sql)
      .filter(withoutTrail)
      .sort(),
  ).toEqual(
    sent
      .map(({ text }) => text)
      .filter(withoutTrail)
      .sort(),
  )
  for (const step of [...fetches, ...statements]) expect(step.start + step.ms).toBeLessThanOrEqual(ms + 1)
  expect(access).toEqual(
    expect.arrayContaining([
      { needs: 'hr:employee:read', of: expect.arrayContaining(['Query.employees']) as string[], held: true },
      { needs: 'policy hr:self-or-salary-reader', of: ['Employee.salary'], held: null },
    ]),
  )
})

test('E4: nobody is told of others’ statements under the same request id, and strangers are told nothing', async () => {
  const query = '{ customers(first: 1) { nodes { fullName } } }'
  const [acme, globex] = [await graph.demo('acme', 'admin'), await graph.demo('globex', 'admin')]
  const id = { 'x-request-id': 'one-and-the-same' }
  const answers = await Promise.all([
    explained(acme, query, id),
    explained(globex, '{ departments(first: 1) { nodes { name } } }', id),
  ])
  const tables = answers.map(({ extensions }) => [
    ...new Set(
      extensions!.explanation.statements.flatMap(
        ({ sql }) => /(?:insights|hr)"?\."?\w+/.exec(sql)?.[0].replaceAll('"', '') ?? [],
      ),
    ),
  ])
  expect(tables).toEqual([['insights.customers'], ['hr.departments']])
  expect((await explained(graph.anonymous, query)).extensions).toBeUndefined()
})

test('E3: demo people are let in with a click from this machine alone, and never in production', () => {
  const config = graph.config
  const demo = demoOf({ ...config, databaseUrl: null })
  expect(demo?.people).toHaveLength(demoSlugs.length * demoUserNames.length)
  expect(demo?.people[0]).toEqual({
    tenant: 'acme',
    email: 'admin@acme.example',
    name: 'Ada Okafor',
    role: 'Operations director',
  })
  expect(demoOf({ ...config, databaseUrl: null, nodeEnv: 'production' })).toBeNull()
  expect(demoOf({ ...config, databaseUrl: null, host: '0.0.0.0' })).toBeNull()
  expect(demoOf({ ...config, databaseUrl: null, host: '127.example.com' })).toBeNull()
  expect(demoOf({ ...config, databaseUrl: 'postgresql://db/x' })).toBeNull()
  // dash 19: a tunnel or a proxy leads others to this machine's own address.
  expect(demoOf({ ...config, databaseUrl: null, trustProxy: true })).toBeNull()
  expect(demoOf({ ...config, databaseUrl: null, publicUrl: 'https://demo.example' })).toBeNull()
})

test('E6 E7: the reference and the schema are served where the explorer is', async () => {
  const at = (path: string, accept: string) => fetch(new URL(path, graph.server.url), { headers: { accept } })
  const reference = await at('/graphql/reference', 'text/html')
  expect([reference.status, await reference.text()]).toEqual([
    200,
    expect.stringContaining('id="Query.customers"'),
  ])
  const schema = await at('/graphql/schema.graphql', '*/*')
  expect([schema.status, await schema.text()]).toEqual([
    200,
    readFileSync(`${projectRoot}/schema/api.graphql`, 'utf8'),
  ])
})
