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
import { startGraph, type TestClient, type TestGraph } from '../support/graph'
import { sourceRules, tableOf } from './source-rules'
import { principalTypes, sourceEntities } from './sources'
import { violations, type Writer } from './violations'

/** What the sources give the principal types is there: every field in the graph, every rule in the database. */
const sources = sourceEntities()
const supergraph = readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8')
const api = Supergraph.build(loadable(supergraph)).apiSchema().toGraphQLJSSchema()
const fieldsOf = new Map(
  Object.values(api.getTypeMap())
    .filter(isObjectType)
    .map((type) => [type.name, new Set(Object.keys(type.getFields()))] as const),
)

let graph: TestGraph
const models = new Map<string, EntityModel>()

beforeAll(async () => {
  cheapBcrypt()
  const databases: Database[] = []
  graph = await startGraph({ around: (_, database) => (databases.push(database), database) })
  for (const { dataSource } of databases)
    for (const model of entityModels(dataSource).values()) models.set(model.name, model)
}, 60_000)
afterAll(() => graph?.close())

const rows = async <T extends object>(text: string, values: unknown[] = []): Promise<T[]> =>
  (await graph.owner.query<T>(text, values)).rows
const rules = sourceRules(sources, { fieldsOf, models, rows })

it('has every principal type, and sources for them', () => {
  expect(principalTypes.filter((type) => !fieldsOf.has(type))).toEqual([])
  expect(sources.length).toBeGreaterThan(25)
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

let number = 0
let departmentId: string
let customerId: string
let idleUserId: string
let roleId: string
const next = (prefix: string) => `${prefix}${++number}`

/** How each type is written; the others are read only. */
const writers: Readonly<Record<string, Writer>> = {
  User: {
    create: {
      mutation: 'createUser',
      input: () => ({
        email: `${next('new')}@acme.example`,
        initialPassword: 'a first password',
        username: next('u'),
        externalId: next('x'),
      }),
    },
    update: 'updateUser',
  },
  Role: {
    create: { mutation: 'createRole', input: () => ({ name: next('Role '), permissions: [] }) },
    update: 'updateRole',
  },
  RoleAssignment: { create: { mutation: 'assignRole', input: () => ({ userId: idleUserId, roleId }) } },
  Tenant: { update: 'updateTenant' },
  PlanSubscription: {
    create: {
      mutation: 'startSubscription',
      input: () => ({
        plan: 'STARTER',
        billingInterval: 'MONTHLY',
        price: { amount: '1.00', currency: 'EUR' },
      }),
    },
  },
  Invoice: {
    create: {
      mutation: 'draftInvoice',
      input: () => ({ currency: 'EUR', lines: [{ description: 'Seats', unitPrice: '1.00' }] }),
    },
    update: 'updateInvoice',
  },
  Customer: {
    create: { mutation: 'createCustomer', input: () => ({ externalId: next('C') }) },
    update: 'updateCustomer',
  },
  CustomerInteraction: {
    create: {
      mutation: 'recordInteraction',
      input: () => ({
        customerId,
        source: 'test',
        externalId: next('I'),
        channel: 'WEB',
        eventType: 'visit',
        sentiment: 0.5,
      }),
    },
  },
  ComplianceRecord: {
    create: { mutation: 'createComplianceRecord', input: () => ({ type: 'KYC', data: {} }) },
    update: 'updateComplianceRecord',
  },
  Department: {
    create: { mutation: 'createDepartment', input: () => ({ name: next('Department ') }) },
    update: 'updateDepartment',
  },
  Employee: {
    create: { mutation: 'hireEmployee', input: () => ({ employeeNumber: next('E') }) },
    update: 'updateEmployee',
  },
  Transaction: {
    create: {
      mutation: 'recordTransaction',
      input: () => ({
        transactionNumber: next('T'),
        type: 'EXPENSE',
        amount: { amount: '-1.00', currency: 'EUR' },
      }),
    },
    update: 'updateTransaction',
  },
  Budget: {
    create: {
      mutation: 'setBudget',
      input: () => ({ departmentId, year: 2000 + ++number, allocated: { amount: '1.00', currency: 'EUR' } }),
    },
  },
}

const { breakable, unbreakable } = violations(api, sources, writers)

describe('who breaks a rule is told by field, and changes nothing', () => {
  let admin: TestClient

  async function send(mutation: string, input: Record<string, unknown>, selection = '') {
    const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`
    return admin.query<{
      payload: { userErrors: { code: string; field: string[] | null }[] } & Record<
        string,
        { id: string; version: number }
      >
    }>(
      `mutation ($input: ${type}) { payload: ${mutation}(input: $input) { ${selection} userErrors { code field } } }`,
      { input },
    )
  }

  /** Makes a row and returns it with the input that made it. */
  async function make(type: string) {
    const { mutation, input } = writers[type]!.create!
    const values = input()
    const row = `${type[0]!.toLowerCase()}${type.slice(1)}`
    const versioned = fieldsOf.get(type)!.has('version') ? 'version' : ''
    const { data, errors } = await send(mutation, values, `${row} { id ${versioned} }`)
    expect({ errors, userErrors: data?.payload.userErrors }).toEqual({ errors: undefined, userErrors: [] })
    return { values, ...data!.payload[row]! }
  }

  /** What an update must say besides the change. */
  async function target(type: string): Promise<Record<string, unknown>> {
    if (type !== 'Tenant') {
      const { id, version } = await make(type)
      return { id, expectedVersion: version }
    }
    const { tenant } = await admin.data<{ tenant: { version: number } }>('{ tenant { version } }')
    return { expectedVersion: tenant.version }
  }

  const state = (type: string) =>
    rows(
      `SELECT count(*) AS rows, sum(hashtextextended(t::text, 0)) AS content FROM ${tableOf({ models }, type)} t`,
    )

  beforeAll(async () => {
    const acme = await graph.tenant('acme')
    admin = await acme.as('ADMIN')
    departmentId = (await make('Department')).id
    customerId = (await make('Customer')).id
    roleId = (await make('Role')).id
    idleUserId = (await acme.user()).userId
  })

  test.each(breakable.map((one) => [one.name, one] as const))(
    '%s',
    async (_, { type, mutation, input, value, code, byType }) => {
      const { create } = writers[type]!
      const created = mutation === create?.mutation
      const taken = value === undefined ? (await make(type)).values[input] : value
      const others = created ? create.input() : await target(type)
      const before = await state(type)
      const { data, errors } = await send(mutation, { ...others, [input]: taken })
      if (byType)
        expect(errors?.map(({ message }) => message)).toEqual([expect.stringContaining(`input.${input}`)])
      else expect(data?.payload.userErrors).toMatchObject([{ code, field: [input] }])
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
      'PlanSubscription.status check',
      'PlanSubscription.status maxLength',
      'Tenant.plan maxLength',
      'Tenant.slug maxLength',
      'Tenant.slug unique',
      'Tenant.status maxLength',
      'User.roles maxLength',
      'User.status maxLength',
    ])
    // Lines of invoices are written with their invoice.
    const readOnly = principalTypes.filter((type) => !(type in writers))
    expect(readOnly).toEqual(['Permission', 'InvoiceLine', 'Country', 'Industry', 'AuditLog'])
  })
})
