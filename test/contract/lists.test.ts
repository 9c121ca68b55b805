import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { globalTables } from '../../migrations/sql'
import { demoTenantIds } from '../../database/demo/ids'
import { encryptRows } from '../../database/encrypt-rows'
import { addMissingRows } from '../../database/rows'
import type { Statement } from '../../kernel/connection/database'
import { projectRoot } from '../../kernel/process/config'
import { admits, inOrder, type SentFilter, type ShownRow } from '../support/expected-list'
import { startGraph, type TestClient, type TestGraph } from '../support/graph'
import { lists, selectionFor, type List, type ListCondition, type ListOrder } from '../support/list-catalog'

/** So many rows of each table stay: enough for ties, nulls and several pages. */
const kept = 8
const tenant = demoTenantIds.acme

let graph: TestGraph
let admin: TestClient
/** The whole of each list, and what its filter looks at that rows do not show. */
const wholes = new Map<string, ShownRow[]>()

beforeAll(async () => {
  // What is read here is not recorded: the audit trail, a list as well, must stand still.
  const isEntry = ({ text }: Statement) => text.startsWith('INSERT INTO shared.audit_logs')
  graph = await startGraph({
    demo: true,
    around: (_, database) => ({
      ...database,
      rows: (binding, statement) =>
        isEntry(statement) ? Promise.resolve([]) : database.rows(binding, statement),
    }),
  })
  admin = await graph.demo('acme', 'admin')
  await admin.data('{ viewer { id } }')
  // Nor must the last use of the session that asks go on.
  graph.clock.stop()
  // What the demo data has none of.
  await graph.owner.query('BEGIN')
  await addMissingRows(graph.owner, { tenantId: tenant, seed: 'acme', now: new Date() })
  await graph.owner.query('COMMIT')
  const { services, encryptedModels } = graph.server
  await encryptRows(graph.owner, services.dataKeys, encryptedModels, { isClearOnly: true })
  const client = new Client({ connectionString: graph.database.superuserUrl })
  await client.connect()
  try {
    // Without triggers and foreign keys: rows lose what they refer to, which lists of ids do not mind.
    await client.query('SET session_replication_role = replica')
    for (const list of lists) await shrink(client, list)
    for (const list of lists) wholes.set(list.name, await wholeOf(client, list))
  } finally {
    await client.end()
  }
})
afterAll(() => graph?.close())

/** Keeps some rows of a list, and gives its orders ties and rows without a value wherever the table allows it. */
async function shrink(client: Client, { table, orders }: List): Promise<void> {
  // Who signs in, and with which rights, stays.
  if (table.startsWith('identity.')) return
  const own = globalTables.includes(table) ? 'true' : `tenant_id = '${tenant}'`
  const nulls = `(SELECT count(*) FROM jsonb_each(to_jsonb(t)) WHERE value = 'null')`
  const pick = (order: string) =>
    `(SELECT id FROM ${table} t WHERE ${own} ORDER BY ${order}, id LIMIT ${kept / 2})`
  await client.query(
    `DELETE FROM ${table} WHERE ${own} AND id NOT IN ${pick(nulls)} AND id NOT IN ${pick('md5(id::text)')}`,
  )
  const ranked = `(SELECT id, row_number() OVER (ORDER BY md5(id::text)) AS rank FROM ${table} WHERE ${own})`
  for (const [place, { column, kind }] of orders.entries()) {
    const emptied = kind === 'money' ? [column, `${column}_currency`] : [column]
    const empty = emptied.map((one) => `${one} = NULL`).join(', ')
    const some = (remainder: number) =>
      `FROM ${ranked} r WHERE r.id = t.id AND ${own} AND (r.rank + ${place}) % 4 = ${remainder}`
    const first = `(SELECT ${column} FROM ${table} WHERE ${own} AND ${column} IS NOT NULL ORDER BY id LIMIT 1)`
    for (const set of [`${column} = ${first} ${some(0)}`, `${empty} ${some(1)}`])
      // A rule of the table may forbid it.
      await client.query(`UPDATE ${table} t SET ${set}`).catch(() => undefined)
  }
}

async function wholeOf(client: Client, list: List): Promise<ShownRow[]> {
  const rows = await walk(list, {}, 100, false)
  const columns = list.conditions.flatMap(({ name, column }) =>
    column ? [`${column}::text AS "${name}"`] : [],
  )
  const { rows: hidden } = await client.query<ShownRow>(
    `SELECT id AS "row id" ${columns.map((one) => `, ${one}`).join('')} FROM ${list.table}`,
  )
  const byId = new Map(hidden.map((row) => [row['row id'], row]))
  return rows.map((row) => ({ ...byId.get(row['id']), ...row }))
}

interface Page {
  nodes: ShownRow[]
  totalCount: number
  pageInfo: {
    hasNextPage: boolean
    hasPreviousPage: boolean
    startCursor: string | null
    endCursor: string | null
  }
}

type Arguments = Readonly<Record<string, unknown>>

/** One operation a list, whatever it is asked: the gateway plans each text anew. */
async function ask(list: List, args: Arguments): Promise<Page> {
  const { name, node, orders, conditions, searched } = list
  const declared = ['first: Int', 'after: String', 'last: Int', 'before: String']
  if (conditions.length + searched.length > 0) declared.push(`filter: ${node.name}Filter`)
  if (orders.length > 0) declared.push(`orderBy: [${node.name}Order!]`)
  const passed = declared.map((one) => one.split(':')[0]!).map((argument) => `${argument}: $${argument}`)
  const query = `query (${declared.map((one) => `$${one}`).join(', ')}) { list: ${name}(${passed.join(', ')}) {
    nodes { ${selectionFor(list)} } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount
  } }`
  return (await admin.data<{ list: Page }>(query, args)).list
}

/** All rows of a list by its pages, read forwards or backwards. */
async function walk(list: List, args: Arguments, size: number, backward: boolean): Promise<ShownRow[]> {
  let found: ShownRow[] = []
  for (let cursor: string | null = null, turn = 0; turn < 200; turn++) {
    const slice: Arguments = backward ? { last: size, before: cursor } : { first: size, after: cursor }
    const { nodes, pageInfo }: Page = await ask(list, { ...args, ...slice })
    found = backward ? [...nodes, ...found] : [...found, ...nodes]
    if (!(backward ? pageInfo.hasPreviousPage : pageInfo.hasNextPage)) return found
    if (nodes.length === 0) throw new Error(`${list.name}: an empty page says that more rows are beyond`)
    cursor = backward ? pageInfo.startCursor : pageInfo.endCursor
  }
  throw new Error(`${list.name}: the pages do not end`)
}

const idsOf = (rows: readonly ShownRow[]) => rows.map(({ id }) => id)

it('runs the examples of docs/queries.md', async () => {
  const page = readFileSync(join(projectRoot, 'docs', 'queries.md'), 'utf8')
  const examples = [...page.matchAll(/```graphql\n(.*?)```/gs)].map(([, text]) => text!)
  expect(examples).toHaveLength(4)
  for (const example of examples)
    for (const found of Object.values(await admin.data<object>(example))) expect(found).not.toBeNull()
})

describe('Q2 Q6 Q7 every order', () => {
  const orders = lists.flatMap((list) =>
    list.orders.flatMap((order) =>
      (['ASC', 'DESC'] as const).map(
        (direction) => [`${list.name} by ${order.value} ${direction}`, list, order, direction] as const,
      ),
    ),
  )

  it.each(orders)(
    '%s: pages of 1, 3 and 100, both ways, are the sorted whole',
    async (_, list, order, direction) => {
      const whole = wholes.get(list.name)!
      const expected = idsOf(inOrder(whole, [{ ...order, direction }]))
      const args = { orderBy: [{ field: order.value, direction }] }
      for (const backward of [false, true])
        for (const size of [1, 3, 100])
          expect({ backward, size, ids: idsOf(await walk(list, args, size, backward)) }).toEqual({
            backward,
            size,
            ids: expected,
          })
    },
  )

  it.each(lists.filter(({ orders }) => orders.length > 1).map((list) => [list.name, list] as const))(
    '%s by several values is the sorted whole',
    async (_, list) => {
      const pairs = list.orders.map((order, place): ListOrder[] => [
        order,
        list.orders[(place + 1) % list.orders.length]!,
      ])
      for (const pair of pairs) {
        const keys = pair.map((order, place) => ({ ...order, direction: place ? 'ASC' : 'DESC' }) as const)
        const orderBy = keys.map(({ value, direction }) => ({ field: value, direction }))
        const found = await walk(list, { orderBy }, 3, false)
        expect({ orderBy, ids: idsOf(found) }).toEqual({
          orderBy,
          ids: idsOf(inOrder(wholes.get(list.name)!, keys)),
        })
      }
    },
  )

  it('was tried with ties and with rows without a value', () => {
    const values = lists.flatMap((list) =>
      list.orders.map(({ field }) => wholes.get(list.name)!.map((row) => JSON.stringify(row[field]))),
    )
    expect(values.filter((column) => column.includes('null')).length).toBeGreaterThan(8)
    expect(values.filter((column) => new Set(column).size < column.length).length).toBeGreaterThan(20)
  })

  it('costs one statement a page', async () => {
    const counts: string[] = []
    for (const { name, subgraph, orders } of lists)
      for (const { value } of orders)
        for (const ends of ['first: 2', 'last: 2']) {
          const query = `{ ${name}(${ends}, orderBy: { field: ${value}, direction: DESC }) { nodes { id } } }`
          const sent = await graph.statementsDuring(() => admin.data(query))
          if (sent.length !== 1 || sent[0]!.role !== subgraph) counts.push(`${query}: ${sent.length}`)
        }
    expect(counts).toEqual([])
  })
})

/** Operands for a condition, from what the rows hold. */
function operandsOf(list: List, { name, type }: ListCondition): SentFilter[] {
  const values = wholes.get(list.name)!.map((row) => row[name])
  const present = values.filter((value) => value !== null && value !== undefined)
  const [one, other] = [
    present[0],
    present.find((value) => JSON.stringify(value) !== JSON.stringify(present[0])),
  ]
  if (one === undefined) return []
  if (type === 'MoneyFilter') {
    const { amount, currency } = one as { amount: string; currency: string }
    const ranges = ['eq', 'lt', 'lte', 'gt', 'gte'].map((operator) => ({ currency, [operator]: amount }))
    return [{ currency }, ...ranges, { currency, in: [amount] }, { currency, notIn: [amount] }]
  }
  return [
    ...[one, other ?? one].flatMap((value) =>
      ['eq', 'lt', 'lte', 'gt', 'gte'].map((operator) => ({ [operator]: value })),
    ),
    { in: [one, other ?? one] },
    { in: [] },
    { notIn: [one] },
    { notIn: [] },
    { contains: String(one).slice(1, 4).toUpperCase() },
    { startsWith: String(one).slice(0, 2).toLowerCase() },
  ]
}

describe('Q2 Q3 Q7 K10 every filter', () => {
  const filtered = lists.filter(({ conditions, searched }) => conditions.length + searched.length > 0)

  it.each(filtered.map((list) => [list.name, list] as const))(
    '%s: every operand of every condition finds what a fold over the list does, and so does its contrary',
    async (_, list) => {
      const whole = wholes.get(list.name)!
      const fold = {
        valueOf: (row: ShownRow, name: string) => row[name] ?? null,
        kindOf: (name: string) => list.conditions.find((one) => one.name === name)!.kind,
        searched: list.searched,
      }
      const tried: SentFilter[] = list.conditions.flatMap(({ name, operators }, place) =>
        [{ isNull: true }, { isNull: false }, ...operandsOf(list, list.conditions[place]!)]
          .filter((operand) => Object.keys(operand).every((operator) => operators.includes(operator)))
          .map((operand) => ({ [name]: operand })),
      )
      const text = list.searched.length > 0 && whole.map((row) => row[list.searched[0]!]).find(Boolean)
      if (text) tried.push({ search: String(text).slice(0, 4).trim().toUpperCase() })
      // Each alone, turned round, and with the next but two.
      const cases = tried.flatMap((filter, place): SentFilter[] => {
        const other = tried[(place + 3) % tried.length]!
        return [filter, { not: filter }, { and: [filter, other] }, { or: [filter, other] }]
      })
      for (const filter of cases) {
        const { nodes, totalCount } = await ask(list, { first: 100, filter })
        const expected = idsOf(whole.filter((row) => admits(fold, row, filter))).sort()
        expect({ filter, ids: idsOf(nodes).sort(), count: totalCount }).toEqual({
          filter,
          ids: expected,
          count: expected.length,
        })
      }
    },
  )

  it('refuses null for every operand of every condition, with a message that names isNull', async () => {
    const wrong: string[] = []
    for (const { name, node, conditions } of filtered) {
      const query = `query ($filter: ${node.name}Filter) { ${name}(filter: $filter) { totalCount } }`
      for (const condition of conditions)
        for (const value of [null, ...condition.operators.map((operator) => ({ [operator]: null }))]) {
          const filter = { [condition.name]: value }
          const [error] = (await admin.query(query, { filter })).errors ?? []
          if (error?.extensions.code !== 'BAD_USER_INPUT' || !error.message.includes('isNull: true'))
            wrong.push(`${name} ${JSON.stringify(filter)}: ${error?.message}`)
        }
    }
    expect(wrong).toEqual([])
  })

  it('has currency and range wherever money is an order', () => {
    const without = lists.flatMap(({ name, orders, conditions }) =>
      orders
        .filter(({ kind }) => kind === 'money')
        .filter(({ field }) => !conditions.some((one) => one.name === field && one.type === 'MoneyFilter'))
        .map(({ value }) => `${name} by ${value}`),
    )
    expect(without).toEqual([])
  })

  it('knows every condition a value: none of the lists is tried in vain', () => {
    const blind = filtered.flatMap((list) =>
      list.conditions
        .filter((condition) => operandsOf(list, condition).length === 0)
        .map(({ name }) => `${list.name} ${name}`),
    )
    expect(blind).toEqual([])
  })
})
