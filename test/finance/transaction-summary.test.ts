import { Client } from 'pg'
import { uuidv7 } from '../../kernel/id'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'

let graph: TestGraph
let tenant: TestTenant
let admin: TestClient
const [sales, board] = [uuidv7(), uuidv7()]

type Row = [
  type: string,
  category: string | null,
  department: string | null,
  amount: number | bigint,
  currency: string,
  at: string,
  score?: number,
]

const rows: Row[] = [
  ['INCOME', 'fees', sales, 1000, 'EUR', '2026-03-28T22:30:00Z', 0.1],
  ['INCOME', 'fees', sales, 1001, 'EUR', '2026-03-28T23:30:00Z', 0.2],
  ['INCOME', 'Érable', sales, 500, 'JPY', '2026-03-29T21:59:59.999Z'],
  ['EXPENSE', null, board, -300, 'EUR', '2026-03-29T22:00:00Z', 0.7],
  ['EXPENSE', 'rent', null, 9_007_199_254_740_993n, 'EUR', '2026-04-30T22:00:00Z'],
  ['EXPENSE', 'rent', null, 9_007_199_254_740_993n, 'EUR', '2026-05-31T21:59:59Z'],
]

async function addRows(tenantId: string, added: readonly Row[]): Promise<void> {
  for (const [type, category, department, amount, currency, at, score = null] of added)
    await graph.owner.query(
      `INSERT INTO finance.transactions (tenant_id, id, transaction_number, type, category, department_id, amount, currency, occurred_at, fraud_score)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [tenantId, uuidv7(), uuidv7(), type, category, department, String(amount), currency, at, score],
    )
}

beforeAll(async () => {
  graph = await startGraph()
  tenant = await graph.tenant('acme')
  admin = await tenant.as('ADMIN')
  for (const [id, name] of [
    [sales, 'Sales'],
    [board, 'Board'],
  ])
    await graph.owner.query('INSERT INTO hr.departments (tenant_id, id, name) VALUES ($1, $2, $3)', [
      tenant.id,
      id,
      name,
    ])
  await addRows(tenant.id, rows)
})
afterAll(() => graph?.close())

interface Told {
  transactionSummary: {
    groups: {
      key: Record<string, unknown>
      count: number
      amount: { currency: string; sum: { amount: string } }[]
    }[]
    total: { count: number }
    otherGroups: number
    timeZone: string
    asOf: string
    complete: boolean
  }
}

const ask = async (args: string, selection = 'groups { key { type category } count }', client = admin) =>
  (await client.data<Told>(`{ transactionSummary(${args}) { ${selection} } }`)).transactionSummary
const refusal = async (args: string, selection = 'total { count }', client = admin) => {
  const { data, errors } = await client.query(`{ transactionSummary(${args}) { ${selection} } }`)
  expect(data).toEqual({ transactionSummary: null })
  return errors!.map(({ message, extensions: { code } }) => `${code}: ${message}`)
}

describe('Q1 what is told', () => {
  it('is money by currency, exact beyond what a double holds, averaged with halves to the even neighbour', async () => {
    const amount =
      'amount { currency count sum { amount currency } average { amount } smallest { amount } largest { amount } }'
    const { groups } = await ask('groupBy: [TYPE], fresh: true', `groups { key { type } count ${amount} }`)
    expect(groups).toEqual([
      {
        key: { type: 'EXPENSE' },
        count: 3,
        amount: [
          {
            currency: 'EUR',
            count: 3,
            sum: { amount: '180143985094816.86', currency: 'EUR' },
            average: { amount: '60047995031605.62' },
            smallest: { amount: '-3.00' },
            largest: { amount: '90071992547409.93' },
          },
        ],
      },
      {
        key: { type: 'INCOME' },
        count: 3,
        amount: [
          {
            currency: 'EUR',
            count: 2,
            sum: { amount: '20.01', currency: 'EUR' },
            average: { amount: '10.00' },
            smallest: { amount: '10.00' },
            largest: { amount: '10.01' },
          },
          {
            currency: 'JPY',
            count: 1,
            sum: { amount: '500', currency: 'JPY' },
            average: { amount: '500' },
            smallest: { amount: '500' },
            largest: { amount: '500' },
          },
        ],
      },
    ])
  })

  it('is numbers without the dust of doubles', async () => {
    const { total } = await ask('fresh: true', 'total { fraudScore { count sum average smallest largest } }')
    expect(total).toEqual({
      fraudScore: { count: 3, sum: '1', average: '0.333333333333', smallest: '0.1', largest: '0.7' },
    })
  })

  it('has the department as any other reference: its own guards decide about its name', async () => {
    const query = 'groupBy: [DEPARTMENT], fresh: true, orderBy: { field: COUNT, direction: DESC }'
    const selection = 'groups { key { department { id name } } count }'
    const { groups } = await ask(query, selection)
    expect(groups).toEqual([
      { key: { department: { id: sales, name: 'Sales' } }, count: 3 },
      { key: { department: null }, count: 2 },
      { key: { department: { id: board, name: 'Board' } }, count: 1 },
    ])
    const sent = await graph.statementsDuring(() => ask(query, selection))
    expect(sent.map(({ role }) => role)).toEqual(['finance', 'hr'])
  })

  it('is nothing at all where there is nothing', async () => {
    const other = await (await graph.tenant('empty')).as('ADMIN')
    expect(
      await ask(
        'fresh: true',
        'groups { count amount { currency } fraudScore { count } } total { count }',
        other,
      ),
    ).toEqual({
      groups: [{ count: 0, amount: [], fraudScore: null }],
      total: { count: 0 },
    })
    expect(
      await ask('groupBy: [TYPE], fresh: true', 'groups { count } total { count } otherGroups', other),
    ).toEqual({
      groups: [],
      total: { count: 0 },
      otherGroups: 0,
    })
  })
})

describe('Q8 spans of time', () => {
  const spans = 'groups { key { occurredAt { start end firstDay } } count } timeZone'
  const april = 'filter: { occurredAt: { gte: "2026-03-27T23:00:00Z", lt: "2026-04-01T00:00:00+02:00" } }'

  it('are half-open, and a night of 23 hours is one day', async () => {
    expect(
      await ask(`groupBy: [OCCURRED_AT], per: DAY, timeZone: "Europe/Berlin", fresh: true, ${april}`, spans),
    ).toEqual({
      groups: [
        {
          key: {
            occurredAt: {
              start: '2026-03-27T23:00:00.000Z',
              end: '2026-03-28T23:00:00.000Z',
              firstDay: '2026-03-28',
            },
          },
          count: 1,
        },
        {
          key: {
            occurredAt: {
              start: '2026-03-28T23:00:00.000Z',
              end: '2026-03-29T22:00:00.000Z',
              firstDay: '2026-03-29',
            },
          },
          count: 2,
        },
        {
          key: {
            occurredAt: {
              start: '2026-03-29T22:00:00.000Z',
              end: '2026-03-30T22:00:00.000Z',
              firstDay: '2026-03-30',
            },
          },
          count: 1,
        },
      ],
      timeZone: 'Europe/Berlin',
    })
  })

  it('in which there was nothing are added when asked for, for each combination, within the range of the filter', async () => {
    const filled = async (args: string) =>
      (
        await ask(
          `groupBy: [TYPE, OCCURRED_AT], per: DAY, timeZone: "Europe/Berlin", fillGaps: true, fresh: true, ${args}`,
          'groups { key { type occurredAt { firstDay } } count amount { currency } }',
        )
      ).groups.map(
        ({ key, count }) =>
          `${String(key['type'])} ${(key['occurredAt'] as { firstDay: string }).firstDay} ${count}`,
      )
    const days = (type: string, counts: number[]) =>
      counts.map((count, day) => `${type} 2026-03-${28 + day} ${count}`)
    expect(await filled(april)).toEqual([...days('EXPENSE', [0, 0, 1, 0]), ...days('INCOME', [1, 2, 0, 0])])
    expect(await filled('filter: { occurredAt: { lt: "2026-04-01T00:00:00+02:00" } }')).toEqual([
      ...days('EXPENSE', [0, 0, 1]),
      ...days('INCOME', [1, 2, 0]),
    ])
  })

  it('beyond the last one are one group without an end', async () => {
    const { groups } = await ask(
      'groupBy: [OCCURRED_AT], per: DAY, fresh: true, filter: { occurredAt: { gte: "2020-01-01T00:00:00Z" } }',
      spans,
    )
    expect(groups).toEqual([
      {
        key: { occurredAt: { start: '2022-09-26T00:00:00.000Z', end: null, firstDay: '2022-09-26' } },
        count: 6,
      },
    ])
  })

  it('equal what date_trunc makes of it, in any zone', async () => {
    for (const zone of ['Europe/London', 'America/St_Johns', 'Australia/Lord_Howe', 'Africa/Cairo'])
      for (const per of ['DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR']) {
        const { groups } = await ask(
          `groupBy: [OCCURRED_AT], per: ${per}, timeZone: "${zone}", fresh: true`,
          spans,
        )
        const { rows: expected } = await graph.owner.query<{ day: string; count: number }>(
          `SELECT date_trunc($1, occurred_at AT TIME ZONE $2)::date::text AS day, count(*)::int AS count
             FROM finance.transactions WHERE tenant_id = $3 GROUP BY 1 ORDER BY 1`,
          [per, zone, tenant.id],
        )
        expect(
          groups.map(({ key, count }) => ({
            day: (key['occurredAt'] as { firstDay: string }).firstDay,
            count,
          })),
        ).toEqual(expected)
      }
  })
})

describe('Q1 orders and limits', () => {
  const keys = ({ groups }: Told['transactionSummary']) => groups.map(({ key }) => key['category'])

  it('order by key, count or sum, those without a value last', async () => {
    const by = (orderBy: string) => ask(`groupBy: [CATEGORY], fresh: true, orderBy: ${orderBy}`)
    expect(keys(await by('{ field: CATEGORY }'))).toEqual(['Érable', 'fees', 'rent', null])
    expect(keys(await by('{ field: CATEGORY, direction: DESC }'))).toEqual(['rent', 'fees', 'Érable', null])
    expect(keys(await by('{ field: COUNT }'))).toEqual(['Érable', null, 'fees', 'rent'])
    expect(keys(await by('{ field: AMOUNT, currency: "EUR", direction: DESC }'))).toEqual([
      'rent',
      'fees',
      null,
      'Érable',
    ])
    expect(keys(await by('{ field: FRAUD_SCORE, direction: DESC }'))).toEqual([
      null,
      'fees',
      'Érable',
      'rent',
    ])
  })

  it('say how many groups there are besides', async () => {
    const told = await ask(
      'groupBy: [CATEGORY], first: 1, fresh: true',
      'groups { key { category } count } otherGroups total { count }',
    )
    expect([keys(told), told.otherGroups, told.total.count]).toEqual([['Érable'], 3, 6])
  })

  it.each([
    ['groupBy: [TYPE, CATEGORY, DEPARTMENT, IS_FRAUDULENT]', 'groupBy: give at most 3 dimensions, not 4'],
    ['groupBy: [TYPE, TYPE]', 'groupBy: TYPE is given twice'],
    ['groupBy: [OCCURRED_AT]', 'per: say how long the spans of OCCURRED_AT are, such as MONTH'],
    ['groupBy: [TYPE], per: DAY', 'per: no time is grouped by; leave it out'],
    ['groupBy: [TYPE], fillGaps: true', 'fillGaps: no time is grouped by; leave it out'],
    ['first: 0', 'first: ask for 1 to 1000 groups, not 0'],
    ['first: 1001', 'first: ask for 1 to 1000 groups, not 1001'],
    ['orderBy: { field: TYPE }', 'orderBy: group by TYPE as well'],
    ['orderBy: { field: AMOUNT }', 'orderBy.currency: say in which currency amounts compare'],
    ['orderBy: { field: COUNT, currency: "EUR" }', 'orderBy.currency: COUNT is no amount; leave it out'],
    ['filter: { type: { eq: null } }', 'filter.type.eq: null is not a value to compare with'],
  ])('refuse %s', async (args, message) => {
    expect(await refusal(args)).toEqual([expect.stringContaining(`BAD_USER_INPUT: ${message}`)])
  })

  it('refuse what is no time zone', async () => {
    const { errors } = await admin.query('{ transactionSummary(timeZone: "Mars/Base") { total { count } } }')
    expect(errors?.map(({ message }) => message)).toEqual([expect.stringContaining('Not a valid TimeZone')])
  })

  it('count the cost before anything is asked: 1,000 groups cost more than 100', async () => {
    const many = Array.from(
      { length: 9 },
      (_, place) => `s${place}: transactionSummary(groupBy: [TYPE], first: 1000)
      { groups { count amount { sum { amount } } } }`,
    )
    const sent = await graph.statementsDuring(async () => {
      const { errors } = await admin.query(`{ ${many.join(' ')} }`)
      expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['QUERY_TOO_COSTLY'])
    })
    expect(sent).toEqual([])
    const few = many.map((one) => one.replace('1000', '100'))
    expect((await admin.query(`{ ${few.join(' ')} }`)).errors).toBeUndefined()
  })

  it('end after two seconds in the database', async () => {
    await graph.owner.query('BEGIN')
    try {
      await graph.owner.query('LOCK TABLE finance.transactions IN ACCESS EXCLUSIVE MODE')
      expect(await refusal('fresh: true')).toEqual([
        'QUERY_TOO_COSTLY: This took longer than allowed. Ask for less, or try again.',
      ])
    } finally {
      await graph.owner.query('ROLLBACK')
    }
    expect((await ask('fresh: true', 'total { count }')).total.count).toBe(6)
  })

  it('stop reading at 200,000 rows, and say so', async () => {
    const large = await graph.tenant('large')
    // Without triggers and foreign keys, which so many rows would wait for.
    const client = new Client({ connectionString: graph.database.superuserUrl })
    await client.connect()
    await client.query('SET session_replication_role = replica')
    await client.query(
      `INSERT INTO finance.transactions (tenant_id, id, transaction_number, type, amount, currency, occurred_at)
       SELECT $1, gen_random_uuid(), n::text, 'INCOME', 1, 'EUR', now() FROM generate_series(1, 200001) n`,
      [large.id],
    )
    await client.end()
    const selection = 'total { count } complete'
    const told = await ask('fresh: true', selection, await large.as('ADMIN'))
    expect(told).toEqual({ total: { count: 200_000 }, complete: false })
  })
})

describe('Q1 the cache', () => {
  const query = 'groupBy: [TYPE], filter: { type: { notIn: [TRANSFER] } }'
  const selection = 'groups { key { type } count } total { count } asOf'
  const statements = async (work: () => Promise<unknown>) =>
    (await graph.statementsDuring(work)).filter(({ role }) => role === 'finance').length

  it('gives the same again with its time, unless it is to be fresh', async () => {
    const first = await ask(query, selection)
    await addRows(tenant.id, [['INCOME', null, null, 1, 'EUR', '2026-06-01T00:00:00Z']])
    graph.clock.advance({ minutes: 4 })
    expect(await statements(async () => expect(await ask(query, selection)).toEqual(first))).toBe(0)
    const fresh = await ask(`${query}, fresh: true`, selection)
    expect([first.total.count, fresh.total.count]).toEqual([6, 7])
    expect(fresh.asOf > first.asOf).toBe(true)
    expect(await ask(query, selection)).toEqual(fresh)
  })

  it('tells another question, role or tenant apart', async () => {
    await ask(query, selection)
    expect(await statements(() => ask(query, selection))).toBe(0)
    expect(await statements(() => ask(`${query}, first: 1`, selection))).toBe(1)
    expect(await statements(() => ask(query, `${selection} otherGroups`))).toBe(0)
    const other = await (await graph.tenant('empty')).as('ADMIN')
    expect((await ask(query, selection, other)).total.count).toBe(0)
    const analyst = await tenant.as('ANALYST')
    expect(await statements(() => ask(query, selection, analyst))).toBe(1)
  })

  it('is not asked by whoever has lost the right', async () => {
    const user = await tenant.user('ANALYST')
    await ask(query, selection, user)
    const { rows: roles } = await graph.owner.query<{ id: string }>(
      "SELECT id FROM identity.roles WHERE tenant_id = $1 AND name = 'ANALYST'",
      [tenant.id],
    )
    await admin.data(
      'mutation ($input: RevokeRoleInput!) { revokeRole(input: $input) { userErrors { message } } }',
      {
        input: { userId: user.userId, roleId: roles[0]!.id },
      },
    )
    expect(await refusal(query, selection, user)).toEqual([expect.stringMatching(/^FORBIDDEN/)])
  })

  it('lets many who ask at once wait for one statement', async () => {
    const asked = `${query}, first: 7`
    await admin.data('{ viewer { id } }')
    expect(await statements(() => Promise.all(Array.from({ length: 8 }, () => ask(asked, selection))))).toBe(
      1,
    )
  })
})
