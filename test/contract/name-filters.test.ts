import { buildSchema, concatAST, parse } from 'graphql'
import type { Database } from '../../kernel/connection/database'
import { lookFaults } from '../../kernel/reading/name-columns'
import { entityModels } from '../../kernel/schema/entity-model'
import { buildSchema as buildGuardedSchema } from '../../kernel/schema/subgraph-schema'
import identity from '../../subgraphs/identity'
import { api, lists } from '../support/list-catalog'
import { change } from '../support/lists'
import { startGraph, type TestClient, type TestGraph } from '../support/graph'

let graph: TestGraph
let admin: TestClient
const databases: Database[] = []
beforeAll(async () => {
  graph = await startGraph({ demo: true, around: (_, database) => (databases.push(database), database) })
  admin = await graph.demo('acme', 'admin')
  // Of two rows PostgreSQL takes any index.
  await graph.owner.query(
    `INSERT INTO compliance.legal_holds (tenant_id, id, hold_number, name, reason, placed_by_id)
     SELECT tenant_id, gen_random_uuid(), 'Made ' || n, name, reason, placed_by_id
       FROM compliance.legal_holds, generate_series(1, 50) n WHERE hold_number = 'LH-2026-001'`,
  )
  await graph.owner.query(
    `INSERT INTO compliance.data_subject_requests (tenant_id, id, request_number, type, subject_type, received_at, due_date)
     SELECT tenant_id, gen_random_uuid(), 'Made ' || n, type, subject_type, received_at, due_date
       FROM compliance.data_subject_requests, generate_series(1, 50) n WHERE request_number = 'DSR-2026-001'`,
  )
  // The codes of the demo's accounts are digits, which have no other spelling.
  const account = { code: '0A Our account', name: 'Our account', type: 'ASSET' }
  await change(admin, 'createLedgerAccount', account, 'ledgerAccount { id }')
  // A table of a few rows is read in whatever order.
  const hours = [{ weekday: 'MONDAY', opensAt: '09:00', closesAt: '17:00' }]
  const minutes = { firstResponseMinutes: 60, resolutionMinutes: 480 }
  for (let place = 1; place <= 40; place++) {
    const name = `Desk ${place}`
    await change(admin, 'createBusinessCalendar', { name, timeZone: 'UTC', hours }, '__typename')
    await change(admin, 'createSlaPolicy', { name, priority: 'LOW', ...minutes }, '__typename')
  }
})
afterAll(() => graph?.close())

const texts = lists.flatMap(({ name, table, conditions }) =>
  conditions
    .filter(({ column, operators }) => column !== null && operators.includes('startsWith'))
    .map((condition) => ({ list: name, table, field: condition.name, column: condition.column! })),
)

/** Columns whose values are unique by how they are spelled or look, as the catalogue says. */
async function comparedColumns(): Promise<Set<string>> {
  const { rows } = await graph.owner.query<{ name: string }>(
    `SELECT a.attrelid::regclass || '.' || regexp_replace(a.attname, '_(spelling|look)$', '') AS name
       FROM pg_attribute a JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisunique AND a.attnum = ANY (i.indkey)
      WHERE a.attgenerated = 's' AND a.attname ~ '_(spelling|look)$'`,
  )
  return new Set(rows.map(({ name }) => name))
}

it('knows the names that filters ask for', async () => {
  const compared = await comparedColumns()
  const names = texts.filter(({ table, column }) => compared.has(`${table}.${column}`))
  expect(names.map(({ list, field }) => `${list}.${field}`).sort()).toEqual(
    unique.map(([name]) => name).sort(),
  )
})

const unique = [
  ['businessCalendars.name', 'insights.business_calendars'],
  ['departments.name', 'hr.departments'],
  ['employees.employeeNumber', 'hr.employees'],
  ['slaPolicies.name', 'insights.sla_policies'],
  ['leaveTypes.code', 'hr.leave_types'],
  ['leaveTypes.name', 'hr.leave_types'],
  ['dataSubjectRequests.requestNumber', 'compliance.data_subject_requests'],
  ['legalHolds.holdNumber', 'compliance.legal_holds'],
  ['workCalendars.name', 'hr.work_calendars'],
  ['transactions.transactionNumber', 'finance.transactions'],
  ['ledgerAccounts.code', 'finance.ledger_accounts'],
] as const

/** The same name, spelled otherwise: in capitals, wide, with more blanks. */
const spellings = (name: string): string[] => [
  name.toUpperCase(),
  name.toLowerCase(),
  name.replace(/[!-~]/g, (one) => String.fromCharCode(one.charCodeAt(0) + 0xfee0)),
  name.replace(/ /g, '  '),
]

describe.each(unique)('%s', (place, table) => {
  const [list, field] = place.split('.') as [string, string]
  let known: string
  let total: number
  const found = async (condition: object) => {
    const answer = await admin.data<Record<string, { totalCount: number; nodes: Record<string, string>[] }>>(
      `query ($filter: ${filterType(list)}) { ${list}(first: 3, filter: $filter) { totalCount nodes { ${field} } } }`,
      { filter: { [field]: condition } },
    )
    const { totalCount, nodes } = answer[list]!
    return { totalCount, names: nodes.map((node) => node[field]) }
  }
  beforeAll(async () => {
    const answer = await admin.data<Record<string, { totalCount: number; nodes: Record<string, string>[] }>>(
      `{ ${list}(first: 1) { totalCount nodes { ${field} } } }`,
    )
    known = answer[list]!.nodes[0]![field]!
    total = answer[list]!.totalCount
    expect(total > 1 && known !== known.toLowerCase()).toBe(true)
  })

  it('is found however it is spelled, by eq and in, and by no other name', async () => {
    const one = { totalCount: 1, names: [known] }
    for (const spelling of spellings(known)) {
      expect(await found({ eq: spelling })).toEqual(one)
      expect(await found({ in: [spelling, 'no such name'] })).toEqual(one)
      expect((await found({ notIn: [spelling] })).totalCount).toBe(total - 1)
    }
    expect(await found({ eq: `${known}x` })).toEqual({ totalCount: 0, names: [] })
    expect(await found({ in: [] })).toEqual({ totalCount: 0, names: [] })
    expect((await found({ notIn: ['no such name'] })).totalCount).toBe(total)
  })

  it('is found through its unique index', async () => {
    await graph.owner.query(`ANALYZE ${table}`)
    for (const condition of [{ eq: known }, { in: [known, 'no such name'] }]) {
      const statements = await graph.statementsDuring(() => found(condition))
      const asking = statements.filter(({ text }) => text.includes('shared.spelling'))
      expect(asking.map(({ text }) => /^SELECT count/.test(text.trim()))).toContain(false)
      for (const { text, values } of asking) {
        await graph.owner.query('BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off')
        const { rows } = await graph.owner.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, [...values])
        await graph.owner.query('ROLLBACK')
        const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
        // Of several names PostgreSQL 15 rather reads a small table in the order of the list.
        if ('eq' in condition) expect(plan).toMatch(/Index Cond: .*_spelling = /)
        else expect(plan).toMatch(/(Index Cond|Filter): .*_spelling = ANY/)
      }
    }
  })
})

it('what is unique by its look is no filter: a subgraph that has one does not start, and is told what to do', async () => {
  const models = databases.flatMap(({ dataSource }) => [...entityModels(dataSource).values()])
  const role = models.find(({ name }) => name === 'Role')!
  const schema = (fields: string) => buildSchema(`type Query { a: Int } input RoleFilter { ${fields} }`)
  expect(lookFaults(role, schema('name: String'))).toEqual([
    "Role.name is unique by how it looks, which no filter compares by: take @filter away (@search finds it), or say 'spelling' in the migration's names",
  ])
  expect(lookFaults(role, schema('description: String'))).toEqual([])

  const typeDefs = concatAST([identity.typeDefs, parse('extend input RoleFilter { name: StringFilter }')])
  const database = databases.find(({ dataSource }) => [...entityModels(dataSource).values()].includes(role))!
  await expect(buildGuardedSchema({ ...identity, typeDefs }, database, {})).rejects.toThrow(
    "subgraph identity cannot start:\n- Role.name is unique by how it looks, which no filter compares by: take @filter away (@search finds it), or say 'spelling' in the migration's names",
  )
})

it('e-mail addresses are found in any case', async () => {
  const { rows } = await graph.owner.query<{ email: string }>(
    `SELECT c.email FROM insights.customers c JOIN tenancy.tenants t ON t.id = c.tenant_id
      WHERE t.slug = 'acme' AND c.email IS NOT NULL ORDER BY c.id LIMIT 1`,
  )
  const { email } = rows[0]!
  const query = `query ($email: String!) { customers(filter: { email: { eq: $email } }) { nodes { email } } }`
  const answer = await admin.data<{ customers: { nodes: { email: string }[] } }>(query, {
    email: email.toUpperCase(),
  })
  expect(answer.customers.nodes.map((node) => node.email)).toContain(email)
})

/** The type of a list's filter, as the schema declares it: none is guessed from a plural (P4). */
const filterType = (list: string): string => {
  const field = api.getQueryType()!.getFields()[list]!
  return String(field.args.find(({ name }) => name === 'filter')!.type)
}
