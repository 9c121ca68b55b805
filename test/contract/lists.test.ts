import { Client } from 'pg'
import { globalTables } from '../../migrations/sql'
import { demoTenantIds } from '../../database/demo/ids'
import { admits, inOrder, type SentFilter, type ShownRow } from '../support/expected-list'
import { startGraph, type TestClient, type TestGraph } from '../support/graph'
import { lists, selectionFor, type List, type ListCondition, type ListOrder } from '../support/list-catalog'

/** So many rows of each table stay: enough for ties, nulls and several pages. */
const kept = 9
const tenant = demoTenantIds.acme

let graph: TestGraph
let admin: TestClient
/** The whole of each list, and what its filter looks at that rows do not show. */
const wholes = new Map<string, ShownRow[]>()

beforeAll(async () => {
  graph = await startGraph({ demo: true })
  admin = await graph.demo('acme', 'admin')
  await admin.data('{ viewer { id } }')
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
}, 120_000)
afterAll(() => graph?.close())

/** Keeps some rows of a list, and gives its orders ties and rows without a value wherever the table allows it. */
async function shrink(client: Client, { table, orders }: List): Promise<void> {
  // Who signs in, and with which rights, stays.
  if (table.startsWith('identity.')) return
  const own = globalTables.includes(table) ? 'true' : `tenant_id = '${tenant}'`
  const picked = `SELECT id FROM ${table} WHERE ${own} ORDER BY md5(id::text) LIMIT ${kept}`
  await client.query(`DELETE FROM ${table} WHERE ${own} AND id NOT IN (${picked})`)
  const ranked = `(SELECT id, row_number() OVER (ORDER BY md5(id::text)) AS rank FROM ${table} WHERE ${own})`
  for (const [place, { column, kind }] of orders.entries()) {
    const emptied = kind === 'money' ? [column, `${column}_currency`] : [column]
    const nulls = emptied.map((one) => `${one} = NULL`).join(', ')
    const some = (remainder: number) =>
      `FROM ${ranked} r WHERE r.id = t.id AND ${own} AND (r.rank + ${place}) % 4 = ${remainder}`
    const first = `(SELECT ${column} FROM ${table} WHERE ${own} AND ${column} IS NOT NULL ORDER BY id LIMIT 1)`
    for (const set of [`${column} = ${first} ${some(0)}`, `${nulls} ${some(1)}`])
      // A rule of the table may forbid it.
      await client.query(`UPDATE ${table} t SET ${set}`).catch(() => undefined)
  }
}

async function wholeOf(client: Client, list: List): Promise<ShownRow[]> {
  const rows = await walk(list, '', 100, false)
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
  pageInfo: {
    hasNextPage: boolean
    hasPreviousPage: boolean
    startCursor: string | null
    endCursor: string | null
  }
}

/** All rows of a list by its pages, read forwards or backwards. */
async function walk(list: List, args: string, size: number, backward: boolean): Promise<ShownRow[]> {
  const [length, cursorArgument] = backward ? ['last', 'before'] : ['first', 'after']
  const query = `query ($cursor: String) { list: ${list.name}(${length}: ${size}, ${cursorArgument}: $cursor ${args}) {
    nodes { ${selectionFor(list)} } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  } }`
  let found: ShownRow[] = []
  for (let cursor: string | null = null, turn = 0; turn < 200; turn++) {
    const { nodes, pageInfo }: Page = (await admin.data<{ list: Page }>(query, { cursor })).list
    found = backward ? [...nodes, ...found] : [...found, ...nodes]
    if (!(backward ? pageInfo.hasPreviousPage : pageInfo.hasNextPage)) return found
    if (nodes.length === 0) throw new Error(`${list.name}: an empty page says that more rows are beyond`)
    cursor = backward ? pageInfo.startCursor : pageInfo.endCursor
  }
  throw new Error(`${list.name}: the pages do not end`)
}

const idsOf = (rows: readonly ShownRow[]) => rows.map(({ id }) => id)

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
      const args = `, orderBy: { field: ${order.value}, direction: ${direction} }`
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
        const orderBy = keys.map(({ value, direction }) => `{ field: ${value}, direction: ${direction} }`)
        const found = await walk(list, `, orderBy: [${orderBy.join(', ')}]`, 3, false)
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

/** A value as GraphQL writes it; names of enums bare. */
function written(value: unknown, isEnum: boolean): string {
  if (Array.isArray(value)) return `[${value.map((one) => written(one, isEnum)).join(', ')}]`
  if (typeof value !== 'object' || value === null)
    return isEnum && typeof value === 'string' ? value : JSON.stringify(value)
  const fields = Object.entries(value).map(
    ([name, one]) => `${name}: ${written(one, name === 'currency' ? false : isEnum)}`,
  )
  return `{ ${fields.join(', ')} }`
}

describe('Q2 Q3 Q7 K10 every filter', () => {
  const filtered = lists.filter(({ conditions, searched }) => conditions.length + searched.length > 0)

  const shownKinds = ['StringFilter', 'IDFilter', 'IntFilter', 'FloatFilter', 'DecimalFilter', 'DateFilter']
  const otherKinds = ['DateTimeFilter', 'BooleanFilter', 'CurrencyCodeFilter', 'MoneyFilter']
  const isEnum = ({ type }: ListCondition) => ![...shownKinds, ...otherKinds].includes(type)

  it.each(filtered.map((list) => [list.name, list] as const))(
    '%s: every operand of every condition finds what a fold over the list does, and so does its contrary',
    async (_, list) => {
      const whole = wholes.get(list.name)!
      const fold = {
        valueOf: (row: ShownRow, name: string) => row[name] ?? null,
        kindOf: (name: string) => list.conditions.find((one) => one.name === name)!.kind,
        searched: list.searched,
      }
      const expectFold = async (filter: SentFilter, text: string) => {
        const args = `filter: ${text}`
        const { list: found } = await admin.data<{ list: Page & { totalCount: number } }>(
          `{ list: ${list.name}(first: 100, ${args}) { totalCount nodes { id } } }`,
        )
        const expected = idsOf(whole.filter((row) => admits(fold, row, filter))).sort()
        expect({ text, ids: idsOf(found.nodes).sort(), count: found.totalCount }).toEqual({
          text,
          ids: expected,
          count: expected.length,
        })
      }
      const both = async (filter: SentFilter, text: string) => {
        await expectFold(filter, text)
        await expectFold({ not: filter }, `{ not: ${text} }`)
      }
      const tried: [SentFilter, string][] = []
      for (const condition of list.conditions) {
        const operands = [{ isNull: true }, { isNull: false }, ...operandsOf(list, condition)].filter(
          (operand) => Object.keys(operand).every((operator) => condition.operators.includes(operator)),
        )
        for (const operand of operands) {
          const filter = { [condition.name]: operand }
          const text = `{ ${condition.name}: ${written(operand, isEnum(condition))} }`
          await both(filter, text)
          tried.push([filter, text])
        }
      }
      const text = list.searched.length > 0 && whole.map((row) => row[list.searched[0]!]).find(Boolean)
      if (text) {
        const search = String(text).slice(0, 4).trim().toUpperCase()
        await both({ search }, `{ search: ${JSON.stringify(search)} }`)
      }
      // Each with the next but two.
      for (const [place, [filter, one]] of tried.entries()) {
        const [other, also] = tried[(place + 3) % tried.length]!
        for (const name of ['and', 'or'])
          await expectFold({ [name]: [filter, other] }, `{ ${name}: [${one}, ${also}] }`)
      }
    },
    60_000,
  )

  it('refuses null for every operand of every condition, with a message that names isNull', async () => {
    const accepted: string[] = []
    for (const { name, conditions } of filtered)
      for (const condition of conditions)
        for (const operator of [...condition.operators, ''] as string[]) {
          const text = operator
            ? `{ ${condition.name}: { ${operator}: null } }`
            : `{ ${condition.name}: null }`
          const { errors } = await admin.query(`{ ${name}(filter: ${text}) { totalCount } }`)
          const [error] = errors ?? []
          if (error?.extensions.code !== 'BAD_USER_INPUT' || !error.message.includes('isNull: true'))
            accepted.push(`${name} ${text}: ${error?.message}`)
        }
    expect(accepted).toEqual([])
  }, 60_000)

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
