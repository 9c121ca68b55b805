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
  // Whoever asks is to be let in.
  const given = { 'identity.sign_in_policies': { mfa_required: false, required_since: null } }
  await addMissingRows(graph.owner, { tenantId: tenant, seed: 'acme', now: new Date(), given })
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
  const [rows = []] = await walk(list, [{ args: {}, size: 100, backward: false }])
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

/** Some questions to a list in one operation: what is about the request is not paid for each of them. */
async function ask(list: List, questions: readonly Arguments[]): Promise<Page[]> {
  const { name, node, orders, conditions, searched } = list
  const declared = ['first: Int', 'after: String', 'last: Int', 'before: String']
  if (conditions.length + searched.length > 0) declared.push(`filter: ${node.name}Filter`)
  if (orders.length > 0) declared.push(`orderBy: [${node.name}Order!]`)
  const places = questions.map((_, place) => place)
  const passed = (place: number) =>
    declared.map((one) => one.replace(/^(\w+):.*/, `$1: $$$1${place}`)).join(', ')
  const lists = places.map(
    (place) => `list${place}: ${name}(${passed(place)}) {
      nodes { ${selectionFor(list)} } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount
    }`,
  )
  const variables = places.flatMap((place) => declared.map((one) => `$${one.replace(':', `${place}:`)}`))
  const values = questions.flatMap((args, place) =>
    Object.entries(args).map(([argument, value]) => [`${argument}${place}`, value] as const),
  )
  const query = `query (${variables.join(', ')}) { ${lists.join('\n')} }`
  const data = await admin.data<Record<string, Page>>(query, Object.fromEntries(values))
  return places.map((place) => data[`list${place}`]!)
}

interface Walk {
  args: Arguments
  size: number
  backward: boolean
}

/** All rows of a list by its pages, read forwards or backwards; the next pages of several walks are asked for at once. */
async function walk(list: List, walks: readonly Walk[]): Promise<ShownRow[][]> {
  const found = walks.map((): ShownRow[] => [])
  const cursors = walks.map((): string | null => null)
  let going = walks.map((_, place) => place)
  for (let turn = 0; turn < 200; turn++) {
    const questions = going.map((place): Arguments => {
      const { args, size, backward } = walks[place]!
      const cursor = cursors[place]
      return { ...args, ...(backward ? { last: size, before: cursor } : { first: size, after: cursor }) }
    })
    const pages = await ask(list, questions)
    const next: number[] = []
    for (const [question, { nodes, pageInfo }] of pages.entries()) {
      const place = going[question]!
      const { backward } = walks[place]!
      found[place] = backward ? [...nodes, ...found[place]!] : [...found[place]!, ...nodes]
      if (!(backward ? pageInfo.hasPreviousPage : pageInfo.hasNextPage)) continue
      if (nodes.length === 0) throw new Error(`${list.name}: an empty page says that more rows are beyond`)
      cursors[place] = backward ? pageInfo.startCursor : pageInfo.endCursor
      next.push(place)
    }
    if (next.length === 0) return found
    going = next
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
      const walks = [false, true].flatMap((backward) => [1, 3, 100].map((size) => ({ args, size, backward })))
      const found = await walk(list, walks)
      expect(walks.map((one, place) => ({ ...one, ids: idsOf(found[place]!) }))).toEqual(
        walks.map((one) => ({ ...one, ids: expected })),
      )
    },
  )

  it.each(lists.filter(({ orders }) => orders.length > 1).map((list) => [list.name, list] as const))(
    '%s by several values is the sorted whole',
    async (_, list) => {
      const pairs = list.orders.map((order, place): ListOrder[] => [
        order,
        list.orders[(place + 1) % list.orders.length]!,
      ])
      const orders = pairs.map((pair) =>
        pair.map((order, place) => ({ ...order, direction: place ? 'ASC' : 'DESC' }) as const),
      )
      const walks = orders.map((keys) => ({
        args: { orderBy: keys.map(({ value, direction }) => ({ field: value, direction })) },
        size: 3,
        backward: false,
      }))
      const found = await walk(list, walks)
      expect(walks.map(({ args }, place) => ({ ...args, ids: idsOf(found[place]!) }))).toEqual(
        walks.map(({ args }, place) => ({
          ...args,
          ids: idsOf(inOrder(wholes.get(list.name)!, orders[place]!)),
        })),
      )
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
      while (cases.length > 0) {
        const some = cases.splice(0, 8)
        const pages = await ask(
          list,
          some.map((filter) => ({ first: 100, filter })),
        )
        expect(
          pages.map(({ nodes, totalCount }, place) => ({
            filter: some[place],
            ids: idsOf(nodes).sort(),
            count: totalCount,
          })),
        ).toEqual(
          some.map((filter) => {
            const ids = idsOf(whole.filter((row) => admits(fold, row, filter))).sort()
            return { filter, ids, count: ids.length }
          }),
        )
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
