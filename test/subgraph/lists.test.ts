import { uuidv7 } from '../../kernel/id'
import { folded } from '../../kernel/reading/folded'
import {
  admits,
  inOrder,
  type ExpectedKey,
  type FilteredList,
  type SentFilter,
  type ShownRow,
  type ValueKind,
} from '../support/expected-list'
import { startParts, type PartsGraph } from './parts'

const names = [
  'alpha',
  'Alpha',
  'élan',
  'elan',
  'Zulu',
  'beta',
  null,
  'Straße',
  'Søren',
  'al_pha',
  'alpha',
  null,
]
const selection = `id name code email size weight ratio due madeAt kind inUse wholeId price { amount currency }`
const orders: Readonly<Record<string, [field: string, kind: ValueKind]>> = {
  NAME: ['name', 'language'],
  CODE: ['code', 'language'],
  EMAIL: ['email', 'language'],
  SIZE: ['size', 'number'],
  WEIGHT: ['weight', 'number'],
  RATIO: ['ratio', 'number'],
  DUE: ['due', 'bytes'],
  MADE_AT: ['madeAt', 'bytes'],
  KIND: ['kind', 'bytes'],
  PRICE: ['price', 'money'],
}
const directions = ['ASC', 'DESC'] as const

let graph: PartsGraph
let rows: ShownRow[]
let whole: string

beforeAll(async () => {
  graph = await startParts()
  whole = uuidv7()
  await graph.owner.query("SELECT set_config('app.tenant_id', $1, false)", [graph.tenantId])
  for (let n = 0; n < 24; n++) {
    const empty = (every: number) => n % every === every - 1
    await graph.owner.query(
      `INSERT INTO hr.parts (id, name, code, email, size, weight, ratio, due, made_at, kind, in_use, whole_id, price, price_currency)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
      [
        n === 0 ? whole : uuidv7(),
        names[n % names.length],
        `${n % 2 ? 'c' : 'C'}${(n * 7) % 24}`,
        empty(4) ? null : `p${n % 6}@example.com`,
        empty(5) ? null : (n % 4) - 1,
        empty(6) ? null : (n % 5) / 8,
        empty(7) ? null : `${n % 3}.50`,
        empty(3) ? null : `2026-03-${String(10 + (n % 4))}`,
        `2026-01-0${1 + (n % 3)}T00:00:00.000Z`,
        empty(8) ? null : n % 2 ? 'NUT' : 'SCREW',
        empty(5) ? null : n % 2 === 0,
        n % 3 === 1 ? whole : null,
        empty(4) ? null : String((n % 5) * 150 - 150),
        empty(4) ? null : n % 3 ? 'EUR' : 'USD',
      ],
    )
  }
  rows = await walk({ orderBy: [{ field: 'MADE_AT' }] }, 100)
})
afterAll(() => graph.close())

interface Page {
  nodes: ShownRow[]
  edges: { cursor: string }[]
  pageInfo: {
    hasNextPage: boolean
    hasPreviousPage: boolean
    startCursor: string | null
    endCursor: string | null
  }
  totalCount: number | null
}

const variables =
  '$first: Int, $after: String, $last: Int, $before: String, $filter: PartFilter, $orderBy: [PartOrder!]'
const passed =
  'first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $orderBy'
const body = `{ nodes { ${selection} } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount }`
const rootQuery = `query (${variables}) { list: parts(${passed}) ${body} }`
const nestedQuery = `query (${variables}) {
  parts(first: 100, filter: { wholeId: { isNull: true } }, orderBy: { field: CODE }) { nodes { id list: parts(${passed}) ${body} } }
}`

const root = async (args: object): Promise<Page> =>
  (await graph.data<{ list: Page }>(rootQuery, args as Record<string, unknown>)).list

/** The page under the one part that has parts. */
async function under(args: object): Promise<Page> {
  const { parts } = await graph.data<{ parts: { nodes: { id: string; list: Page }[] } }>(
    nestedQuery,
    args as Record<string, unknown>,
  )
  return parts.nodes.find(({ id }) => id === whole)!.list
}

/** All rows of a list, in the order in which forward pages, or backward pages put before one another, have them. */
async function walk(args: object, size: number, backward = false, ask = root): Promise<ShownRow[]> {
  let found: ShownRow[] = []
  for (let cursor: string | null = null, turn = 0; turn < 200; turn++) {
    const { nodes, pageInfo }: Page = await ask(
      backward ? { ...args, last: size, before: cursor } : { ...args, first: size, after: cursor },
    )
    found = backward ? [...nodes, ...found] : [...found, ...nodes]
    const [more, back] = backward
      ? [pageInfo.hasPreviousPage, pageInfo.hasNextPage]
      : [pageInfo.hasNextPage, pageInfo.hasPreviousPage]
    expect(back).toBe(cursor !== null)
    if (!more) return found
    cursor = backward ? pageInfo.startCursor : pageInfo.endCursor
  }
  throw new Error('the pages do not end')
}

const refused = async (args: object): Promise<string> => {
  const { data, errors } = await graph.ask(rootQuery, args as Record<string, unknown>)
  expect(data).toEqual({ list: null })
  expect(errors!.map(({ extensions }) => extensions!['code'])).toEqual(['BAD_USER_INPUT'])
  return errors![0]!.message
}

const idsOf = (list: readonly ShownRow[]) => list.map(({ id }) => id)
const keysOf = (orderBy: readonly { field: string; direction?: 'ASC' | 'DESC' }[]): ExpectedKey[] =>
  orderBy.map(({ field, direction = 'ASC' }) => ({
    field: orders[field]![0],
    kind: orders[field]![1],
    direction,
  }))

describe('Q2 Q3 Q6 Q7 order', () => {
  it('reads every row once', () => {
    expect(rows).toHaveLength(24)
    expect(new Set(idsOf(rows)).size).toBe(24)
  })

  it('follows the language in orders of text', async () => {
    const filter = { name: { in: ['alpha', 'Alpha', 'élan', 'Zulu', 'beta'] } }
    const found = await walk({ filter, orderBy: [{ field: 'NAME' }] }, 100)
    expect([...new Set(found.map(({ name }) => name))]).toEqual(['alpha', 'Alpha', 'beta', 'élan', 'Zulu'])
  })

  const single = Object.keys(orders).flatMap((field) => directions.map((direction) => [{ field, direction }]))
  const several = [
    [{ field: 'NAME' }, { field: 'SIZE', direction: 'DESC' }],
    [{ field: 'SIZE', direction: 'DESC' }, { field: 'NAME' }],
    [{ field: 'MADE_AT' }, { field: 'PRICE', direction: 'DESC' }, { field: 'NAME' }],
    [{ field: 'KIND', direction: 'DESC' }, { field: 'DUE', direction: 'DESC' }, { field: 'WEIGHT' }],
  ] as { field: string; direction?: 'ASC' | 'DESC' }[][]

  it.each([...single, ...several].map((orderBy) => [JSON.stringify(orderBy), orderBy] as const))(
    'by %s: pages of 1, 3 and 100, both ways, root and nested, are the sorted whole',
    async (_, orderBy) => {
      const expected = idsOf(inOrder(rows, keysOf(orderBy)))
      const below = idsOf(
        inOrder(
          rows.filter(({ wholeId }) => wholeId === whole),
          keysOf(orderBy),
        ),
      )
      for (const backward of [false, true])
        for (const size of [1, 3, 100])
          expect({ backward, size, ids: idsOf(await walk({ orderBy }, size, backward)) }).toEqual({
            backward,
            size,
            ids: expected,
          })
      for (const backward of [false, true])
        expect(idsOf(await walk({ orderBy }, 3, backward, under))).toEqual(below)
    },
  )

  it('takes one object for a list of one', async () => {
    const { parts } = await graph.data<{ parts: Page }>(
      '{ parts(orderBy: { field: CODE }) { nodes { id } } }',
    )
    expect(idsOf(parts.nodes)).toEqual(idsOf(inOrder(rows, keysOf([{ field: 'CODE' }]))).slice(0, 20))
  })

  it('is the one of the list without orderBy, with an empty one and with null', async () => {
    const expected = idsOf(inOrder(rows, keysOf([{ field: 'MADE_AT', direction: 'DESC' }])))
    for (const args of [{}, { orderBy: [] }, { orderBy: null }])
      expect(idsOf(await walk(args, 100))).toEqual(expected)
  })

  it('refuses four values, and a value given twice', async () => {
    const four = ['NAME', 'SIZE', 'DUE', 'KIND'].map((field) => ({ field }))
    expect(await refused({ orderBy: four })).toBe('orderBy: give at most 3 values, not 4')
    expect(await refused({ orderBy: [{ field: 'NAME' }, { field: 'NAME', direction: 'DESC' }] })).toBe(
      'orderBy: NAME is given twice; the first decides, leave out the other',
    )
  })
})

describe('Q7 pages', () => {
  it('says of both ends whether rows are beyond', async () => {
    const orderBy = [{ field: 'CODE' }]
    const all = await root({ first: 100, orderBy })
    expect(all.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: false })
    const end = await root({ last: 5, orderBy })
    expect(idsOf(end.nodes)).toEqual(idsOf(all.nodes).slice(-5))
    expect(end.pageInfo).toEqual({
      hasNextPage: false,
      hasPreviousPage: true,
      startCursor: end.edges[0]!.cursor,
      endCursor: end.edges[4]!.cursor,
    })
    expect(end.totalCount).toBe(24)
    const front = await root({ before: all.edges[3]!.cursor, last: 10, orderBy })
    expect(idsOf(front.nodes)).toEqual(idsOf(all.nodes).slice(0, 3))
    expect(front.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false })
    // A cursor of one direction serves the other.
    const back = await root({ after: end.pageInfo.startCursor, first: 2, orderBy })
    expect(idsOf(back.nodes)).toEqual(idsOf(all.nodes).slice(20, 22))
  })

  it('has 20 rows by default, in either direction', async () => {
    expect((await root({})).nodes).toHaveLength(20)
    const { edges } = await root({ first: 100 })
    expect((await root({ before: edges[22]!.cursor })).nodes).toHaveLength(20)
  })

  const directions =
    'Ask for a page in one direction: first and after read forwards, last and before backwards.'
  it.each([
    [{ first: 1, last: 1 }, directions],
    [{ first: 1, before: 'x' }, directions],
    [{ last: 1, after: 'x' }, directions],
    [{ after: 'x', before: 'x' }, directions],
    [{ first: 0 }, 'first: ask for 1 to 100 rows at a time, not 0'],
    [{ last: 101 }, 'last: ask for 1 to 100 rows at a time, not 101'],
    [
      { after: '' },
      'after: not a cursor of this list. Use pageInfo.endCursor or an edge’s cursor of the previous page; to start at the end of the list, leave it out.',
    ],
    [
      { before: '' },
      'before: not a cursor of this list. Use pageInfo.startCursor or an edge’s cursor of the following page; to start at the end of the list, leave it out.',
    ],
  ])('refuses %j', async (args, message) => {
    expect(await refused(args)).toBe(message)
  })

  it('refuses a cursor of another order, and one whose values fit no row', async () => {
    const { edges } = await root({ orderBy: [{ field: 'SIZE' }] })
    const other = { after: edges[0]!.cursor, orderBy: [{ field: 'SIZE', direction: 'DESC' }] }
    expect(await refused(other)).toBe(
      'after: this cursor belongs to a list in another order. Start again without it.',
    )
    const forged = (keys: unknown[]) =>
      Buffer.from(JSON.stringify([2, 'size ASC', keys, whole])).toString('base64url')
    for (const keys of [['x'], [], ['1', '2'], [1]])
      expect(await refused({ after: forged(keys), orderBy: [{ field: 'SIZE' }] })).toMatch(
        /^after: not a cursor/,
      )
  })

  it('refuses a cursor without a value where every row has one', async () => {
    const after = Buffer.from(JSON.stringify([2, 'code ASC', [null], whole])).toString('base64url')
    expect(await refused({ after, orderBy: [{ field: 'CODE' }] })).toMatch(/^after: not a cursor/)
  })

  it('sends one statement for a page and one for a count, whatever the order', async () => {
    for (const orderBy of [[{ field: 'CODE' }], [{ field: 'NAME', direction: 'DESC' }]]) {
      const { edges } = await root({ orderBy, first: 3 })
      for (const ask of [root, under])
        for (const args of [{ orderBy }, { orderBy, after: edges[1]!.cursor }, { orderBy, last: 2 }]) {
          graph.sent.length = 0
          await ask(args)
          expect(graph.sent.map(({ text }) => text)).toHaveLength(ask === root ? 2 : 3)
        }
    }
  })

  it('leaves the statement of a list without filter as it is by hand', async () => {
    graph.sent.length = 0
    await graph.data('{ parts { nodes { code } } }')
    expect(graph.sent.map(({ text }) => text)).toEqual([
      'SELECT t."id", t."code", t."made_at" FROM "hr"."parts" t WHERE t."tenant_id" = $1 ' +
        'ORDER BY t."made_at" DESC, t."id" DESC LIMIT 21',
    ])
  })
})

const kinds: Readonly<Record<string, ValueKind>> = {
  name: 'language',
  code: 'language',
  email: 'language',
  size: 'number',
  weight: 'number',
  ratio: 'number',
  price: 'money',
}

const list: FilteredList = {
  valueOf: (row, field) =>
    field === 'priceCurrency'
      ? ((row['price'] as { currency: string } | null)?.currency ?? null)
      : row[field],
  kindOf: (field) => kinds[field] ?? 'bytes',
  searched: ['name', 'code'],
}

describe('Q2 Q3 Q7 K10 filter', () => {
  const compared = (values: unknown[], operators: string[]) =>
    operators.flatMap((operator) =>
      ['in', 'notIn'].includes(operator)
        ? [{ [operator]: values }, { [operator]: values.slice(0, 1) }, { [operator]: [] }]
        : values.map((value) => ({ [operator]: value })),
    )
  const equal = ['eq', 'in', 'notIn']
  const ranges = [...equal, 'lt', 'lte', 'gt', 'gte']
  const nulls = [{ isNull: true }, { isNull: false }]
  const conditions: Readonly<Record<string, () => object[]>> = {
    name: () => [
      ...compared(['alpha', 'Alpha', 'nobody'], equal),
      ...compared(['ALP', 'elan', 'ÉL', 'STRASSE', 'soren', 'l_p', '%'], ['contains', 'startsWith']),
      { startsWith: 'a', contains: 'PH' },
    ],
    code: () => compared(['c7', 'C0'], [...equal, 'contains', 'startsWith']),
    email: () => compared(['p1@example.com', 'p2@example.com'], [...equal, 'contains']),
    size: () => [...compared([-1, 0, 2], ranges), { gt: -1, lt: 2 }],
    weight: () => compared([0, 0.25], ranges),
    ratio: () => compared(['0.5', '1.50'], ranges),
    due: () => compared(['2026-03-10', '2026-03-12'], ranges),
    madeAt: () => compared(['2026-01-02T00:00:00.000Z'], ranges),
    kind: () => compared(['SCREW', 'NUT'], equal),
    inUse: () => compared([true, false], equal),
    wholeId: () => compared([whole, '01890000-0000-7000-8000-00000000ffff'], equal),
    price: () => [
      { currency: 'EUR' },
      { currency: 'JPY', isNull: true },
      ...compared(['0.00', '1.5', '-1.50'], ranges).map((one) => ({ currency: 'EUR', ...one })),
      { currency: 'USD', gte: '0', lt: '3' },
    ],
    priceCurrency: () => compared(['EUR', 'CHF'], equal),
  }

  async function expectFold(filter: SentFilter): Promise<number> {
    const { nodes, totalCount } = await root({ filter, first: 100, orderBy: [{ field: 'MADE_AT' }] })
    const expected = rows.filter((row) => admits(list, row, filter))
    expect({ filter, ids: idsOf(nodes) }).toEqual({ filter, ids: idsOf(expected) })
    expect(totalCount).toBe(expected.length)
    return expected.length
  }

  it.each(Object.keys(conditions))(
    '%s: every operand finds what a fold over the list does, and so does its contrary',
    async (field) => {
      const found = new Set<number>()
      for (const condition of [...conditions[field]!(), ...nulls]) {
        found.add(await expectFold({ [field]: condition }))
        await expectFold({ not: { [field]: condition } })
      }
      expect(found.size).toBeGreaterThan(2)
    },
  )

  it.each([
    [{ and: [{ size: { gte: 0 } }, { or: [{ kind: { eq: 'NUT' } }, { name: { isNull: true } }] }] }],
    [{ or: [{ not: { size: { lt: 1 } } }, { and: [{ inUse: { eq: true } }, { search: 'ALPHA' }] }] }],
    [{ not: { or: [{ due: { isNull: true } }, { not: { price: { currency: 'EUR', gt: '0' } } }] } }],
    [{ and: [] }],
    [{ or: [] }],
    [{ not: { and: [] } }],
    [{ search: 'elan' }],
    [{ search: 'C1', size: { gt: 0 } }],
    [{}],
  ])('%j finds what a fold does', async (filter) => {
    await expectFold(filter)
  })

  it('folds each letter in SQL as in what is searched for', async () => {
    const ranges = [
      [0x21, 0x24f],
      [0x370, 0x52f],
      [0x1e00, 0x1fff],
    ] as const
    const letters = ranges.flatMap(([from, to]) =>
      Array.from({ length: to - from + 1 }, (_, place) => String.fromCodePoint(from + place)),
    )
    const known = letters.filter((letter) => /\p{L}|\p{P}|\p{N}/u.test(letter))
    const { rows: found } = await graph.owner.query<{ folded: string }>(
      'SELECT shared.folded(letter) AS folded FROM unnest($1::text[]) WITH ORDINALITY AS t(letter, place) ORDER BY place',
      [known],
    )
    const differing = known.filter((letter, place) => found[place]!.folded !== folded(letter))
    expect(differing).toEqual([])
    expect(known.length).toBeGreaterThan(1_000)
  })

  it('finds all without a filter, with null and with an empty one', async () => {
    for (const args of [{}, { filter: null }, { filter: {} }])
      expect(await walk({ ...args, orderBy: [{ field: 'MADE_AT' }] }, 100)).toEqual(rows)
  })

  it('compares e-mail addresses as they are kept, and texts as Unicode has them composed', async () => {
    expect((await root({ filter: { email: { eq: 'P1@Example.COM' } } })).totalCount).toBe(
      rows.filter(({ email }) => email === 'p1@example.com').length,
    )
    expect((await root({ filter: { name: { eq: 'e\u0301lan' } } })).totalCount).toBe(
      rows.filter(({ name }) => name === 'élan').length,
    )
  })

  const deep = (levels: number): object => (levels === 0 ? { size: { eq: 1 } } : { not: deep(levels - 1) })
  const isNull = (place: string) =>
    `: null is not a value to compare with. To find rows without a value, give ${place}: { isNull: true }.`
  it.each([
    [{ name: { eq: null } }, `filter.name.eq${isNull('filter.name')}`],
    [{ size: { gte: null } }, `filter.size.gte${isNull('filter.size')}`],
    [{ price: { currency: null } }, `filter.price.currency${isNull('filter.price')}`],
    [{ name: { isNull: null } }, `filter.name.isNull${isNull('filter.name')}`],
    [{ or: [{ name: { in: null } }] }, `filter.or[0].name.in${isNull('filter.or[0].name')}`],
    [
      { name: null },
      'filter.name: null is no condition. Leave it out to find all; rows without a value are found with isNull: true (filter.name: { isNull: true }).',
    ],
    [{ search: null }, 'filter.search: null is no condition. Leave it out to find all.'],
    [{ not: null }, 'filter.not: null is no condition. Leave it out to find all.'],
    [{ and: null }, 'filter.and: null is no condition. Leave it out to find all.'],
    [
      { name: {} },
      'filter.name: give at least one condition, or leave it out to find all. A variable that is left out leaves none.',
    ],
    [{ or: [{}] }, 'filter.or[0]: give at least one condition'],
    [{ not: {} }, 'filter.not: give at least one condition'],
    [{ search: ' ' }, 'filter.search: give a text that is not blank, or leave it out to find all'],
    [
      { name: { contains: '' } },
      'filter.name.contains: give a text that is not blank, or leave it out to find all',
    ],
    [{ wholeId: { in: ['x'] } }, 'filter.wholeId.in: "x" is not an id'],
    [
      { price: { gte: '1' } },
      'filter.price.gte: give filter.price.currency as well; amounts are compared within one currency',
    ],
    [{ price: { currency: 'EUR', lt: '0.005' } }, 'filter.price.lt must have at most 2 decimals in EUR'],
    [deep(6), 'filter.not.not.not.not.not.not: and, or and not stand in one another at most 5 deep'],
    [
      { or: Array.from({ length: 50 }, () => ({ size: { eq: 1 } })) },
      'filter.or[49].size.eq: a filter has at most 50 conditions',
    ],
  ])('refuses %j', async (filter, message) => {
    expect(await refused({ filter })).toBe(message)
  })

  it('refuses a variable that is null, or left out, where a condition stands', async () => {
    const query = 'query ($name: String) { parts(filter: { name: { eq: $name } }) { totalCount } }'
    for (const [variables, message] of [
      [{ name: null }, `filter.name.eq${isNull('filter.name')}`],
      [
        {},
        'filter.name: give at least one condition, or leave it out to find all. A variable that is left out leaves none.',
      ],
    ] as const) {
      const { data, errors } = await graph.ask(query, variables)
      expect({ data, messages: errors?.map((error) => error.message) }).toEqual({
        data: { parts: null },
        messages: [message],
      })
    }
    expect(await graph.data(query, { name: 'Zulu' })).toEqual({ parts: { totalCount: 2 } })
  })

  it('takes a filter of the greatest depth and of the most conditions', async () => {
    await expectFold(deep(5) as SentFilter)
    await expectFold({ or: Array.from({ length: 49 }, (_, n) => ({ size: { eq: n } })) })
  })
})
