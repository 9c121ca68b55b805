import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Supergraph } from '@apollo/federation-internals'
import { isObjectType } from 'graphql'
import { loadable } from '../../registry/composition/compose'
import { projectRoot } from '../../kernel/process/config'
import type { Database } from '../../kernel/connection/database'
import { entityModels, type EntityModel } from '../../kernel/schema/entity-model'
import { decisions } from '../fixtures/decisions'
import { cheapBcrypt } from '../support/bcrypt'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { sourceRules, tableOf } from './source-rules'
import { sourceEntities } from './sources'
import { violations, writersOf } from './violations'
import { readWrites, type Writes } from './write-inputs'

/** What the sources give is there: every field in the graph, every rule in the database. */
const supergraph = readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8')
const api = Supergraph.build(loadable(supergraph)).apiSchema().toGraphQLJSSchema()
const fieldsOf = new Map(
  Object.values(api.getTypeMap())
    .filter(isObjectType)
    .map((type) => [type.name, new Set(Object.keys(type.getFields()))] as const),
)

const sources = sourceEntities(fieldsOf)

let graph: TestGraph
let writes: Writes
const models = new Map<string, EntityModel>()

beforeAll(async () => {
  cheapBcrypt()
  const databases: Database[] = []
  graph = await startGraph({ around: (_, database) => (databases.push(database), database) })
  for (const { dataSource } of databases)
    for (const model of entityModels(dataSource).values()) models.set(model.name, model)
  writes = await readWrites(graph, api, databases)
})
afterAll(() => graph?.close())

const rows = async <T extends object>(text: string, values: unknown[] = []): Promise<T[]> =>
  (await graph.owner.query<T>(text, values)).rows
const rules = sourceRules(sources, { fieldsOf, models, rows })

it('has sources for its types', () => {
  expect(new Set(sources.map(({ type }) => type)).size).toBe(33)
  expect(sources.flatMap(({ columns }) => columns).length).toBeGreaterThan(200)
})

it.each(Object.entries(rules))('has the %s of the sources, unless decided otherwise', async (_, faults) => {
  expect((await faults()).filter(({ place }) => !(place in decisions))).toEqual([])
})

it('decides nothing that need not be decided', async () => {
  const found: string[] = []
  for (const faults of Object.values(rules)) found.push(...(await faults()).map(({ place }) => place))
  expect(Object.keys(decisions).filter((place) => !found.includes(place))).toEqual([])
  expect(Object.values(decisions).filter((reason) => reason.length < 20)).toEqual([])
})

const writers = writersOf(api)
const { breakable, unbreakable } = violations(api, sources, writers)

describe('who breaks a rule is told by field, and changes nothing', () => {
  let acme: TestTenant
  let admin: TestClient

  const state = (type: string) =>
    rows(
      `SELECT count(*) AS rows, sum(hashtextextended(t::text, 0)) AS content FROM ${tableOf({ models }, type)} t`,
    )

  beforeAll(async () => {
    acme = await graph.tenant('acme')
    admin = await acme.as('ADMIN')
  })

  /** Inputs that another row was made with. */
  async function takenBy(type: string, inputs: readonly string[]): Promise<object> {
    const { input } = await writes.perform(acme, writers[type]!.create!)
    return Object.fromEntries(inputs.map((name) => [name, input[name]]))
  }

  test.each(breakable.map((one) => [one.name, one] as const))(
    '%s',
    async (_, { type, mutation, input, taken, value, code, byType }) => {
      const valid = await writes.inputFor(acme, mutation)
      const broken = taken ? await takenBy(type, taken) : { [input]: value }
      const before = await state(type)
      const { errors, userErrors } = await writes.send(admin, mutation, { ...valid, ...broken })
      if (byType) expect(errors).toEqual([expect.stringContaining(`input.${input}`)])
      else expect({ errors, userErrors }).toEqual({ errors: [], userErrors: [{ code, field: [input] }] })
      expect(await state(type)).toEqual(before)
    },
  )

  it('leaves out only what the product sets itself, and types that nobody writes', () => {
    expect(breakable.length).toBeGreaterThan(40)
    expect(unbreakable).toEqual([
      'ComplianceRecord.status check',
      'Customer.averageSentiment check',
      'Customer.interactionCount check',
      'Invoice.invoiceNumber maxLength',
      'Invoice.invoiceNumber unique',
      'Invoice.status maxLength',
      'Invoice.total maxLength',
      'PlanSubscription.price maxLength',
      'PlanSubscription.status check',
      'PlanSubscription.status maxLength',
      'Tenant.plan maxLength',
      'Tenant.slug maxLength',
      'Tenant.slug unique',
      'Tenant.status maxLength',
      'User.roles maxLength',
      'User.status maxLength',
    ])
    const types = new Set(sources.map(({ type }) => type))
    const readOnly = [...types].filter((type) => !(type in writers))
    // Factors are written with their forecast: test/finance/forecast.test.ts.
    expect(readOnly.sort()).toEqual(['AuditLog', 'Country', 'ForecastFactor', 'Industry', 'Permission'])
  })
})
