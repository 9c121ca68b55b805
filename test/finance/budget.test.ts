import fc from 'fast-check'
import { boundsOf, remainingOf } from '../../subgraphs/finance/rules/budget'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, prepareRows, readAll, userErrors } from '../support/lists'

let graph: TestGraph
let acme: TestTenant
let globex: TestTenant
let admin: TestClient
let count = 0

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  globex = await graph.tenant('globex')
  admin = await acme.as('ADMIN')
})

afterAll(() => graph.close())

interface Row {
  id: string
  version: number
}

const department = (client = admin): Promise<Row> =>
  change<Row>(client, 'createDepartment', { name: `Department ${++count}` }, 'department { id version }')

const euros = (amount: string) => ({ amount, currency: 'EUR' })

const set = <T = Row>(input: Record<string, unknown>, selection = '{ id version }'): Promise<T> =>
  change<T>(admin, 'setBudget', { year: 2026, allocated: euros('1000'), ...input }, `budget ${selection}`)

const record = (values: Record<string, unknown>): Promise<Row> =>
  change<Row>(
    admin,
    'recordTransaction',
    { transactionNumber: `N-${++count}`, type: 'EXPENSE', ...values },
    'transaction { id version }',
  )

async function stored(departmentId: string): Promise<Record<string, unknown>[]> {
  const { rows } = await graph.owner.query<Record<string, unknown>>(
    'SELECT * FROM finance.budgets WHERE department_id = $1',
    [departmentId],
  )
  return rows
}

async function balance(id: string): Promise<unknown> {
  const query = 'query ($id: ID!) { budget(id: $id) { spent { amount } remaining { amount } } }'
  const { budget } = await admin.data<{
    budget: { spent: { amount: string }; remaining: { amount: string } }
  }>(query, { id })
  return [budget.spent.amount, budget.remaining.amount]
}

test('a budget is set, read and changed', async () => {
  const { id: departmentId } = await department()
  const selection = `{
    department { id } year month periodStart allocated { amount currency } forecastedSpend { amount currency }
    spent { amount currency } remaining { amount currency } version
  }`
  const first = { departmentId, month: 2, forecastedSpend: euros('900.50') }
  const expected = {
    department: { id: departmentId },
    year: 2026,
    month: 2,
    periodStart: '2026-02-01',
    allocated: euros('1000.00'),
    forecastedSpend: euros('900.50'),
    spent: euros('0.00'),
    remaining: euros('1000.00'),
    version: 1,
  }
  expect(await set(first, selection)).toEqual(expected)
  const more = { departmentId, month: 2, allocated: euros('1500'), expectedVersion: 1 }
  expect(await set(more, selection)).toEqual({
    ...expected,
    allocated: euros('1500.00'),
    remaining: euros('1500.00'),
    version: 2,
  })
  expect(await set({ ...more, forecastedSpend: null, expectedVersion: 2 }, selection)).toMatchObject({
    forecastedSpend: null,
    allocated: euros('1500.00'),
  })
})

test('a month, its year and another currency have budgets of their own', async () => {
  const { id: departmentId } = await department()
  const dollars = { amount: '1', currency: 'USD' }
  const made = [
    await set({ departmentId, month: 1 }),
    await set({ departmentId }),
    await set({ departmentId, allocated: dollars }),
  ]
  expect(new Set(made.map(({ id }) => id)).size).toBe(3)
})

describe('a period has one budget', () => {
  test.each([3, null])('of month %s, and changing it takes its version', async (month) => {
    const { id: departmentId } = await department()
    await set({ departmentId, month })
    const input = { departmentId, year: 2026, month, allocated: euros('5') }
    expect(await userErrors(admin, 'setBudget', input)).toMatchObject([
      { code: 'DUPLICATE', field: ['expectedVersion'] },
    ])
    expect(await userErrors(admin, 'setBudget', { ...input, expectedVersion: 7 })).toMatchObject([
      { code: 'STALE_VERSION', field: ['expectedVersion'] },
    ])
    expect(await stored(departmentId)).toMatchObject([{ allocated: '100000', version: 1 }])
  })

  test('also when twenty set it at once', async () => {
    const { id: departmentId } = await department()
    const input = { departmentId, year: 2026, month: null, allocated: euros('5') }
    const answers = await Promise.all(Array.from({ length: 20 }, () => userErrors(admin, 'setBudget', input)))
    expect(answers.filter((errors) => errors.length === 0)).toHaveLength(1)
    expect(answers.flat().map(({ code }) => code)).toEqual(Array(19).fill('DUPLICATE'))
    expect(await stored(departmentId)).toHaveLength(1)
  })
})

describe('what is refused names its field', () => {
  test.each([
    ['a month 0', { month: 0 }, 'INVALID', 'month'],
    ['a month 13', { month: 13 }, 'INVALID', 'month'],
    ['a year before 1900', { year: 1899 }, 'INVALID', 'year'],
    ['a year without end', { year: 2_147_483_647 }, 'INVALID', 'year'],
    ['less than nothing', { allocated: euros('-0.01') }, 'INVALID', 'allocated'],
    ['too many decimals', { allocated: euros('0.001') }, 'INVALID', 'allocated'],
    ['a forecast below nothing', { forecastedSpend: euros('-1') }, 'INVALID', 'forecastedSpend'],
    [
      'a forecast in another currency',
      { forecastedSpend: { amount: '1', currency: 'USD' } },
      'INVALID',
      'forecastedSpend',
    ],
    ['a version of nothing', { expectedVersion: 1 }, 'NOT_FOUND', 'expectedVersion'],
  ])('%s', async (_, values, code, field) => {
    const { id: departmentId } = await department()
    const input = { departmentId, year: 2026, allocated: euros('1'), ...values }
    expect(await userErrors(admin, 'setBudget', input)).toMatchObject([{ code, field: [field] }])
    expect(await stored(departmentId)).toEqual([])
  })

  test.each([
    ['42', 'REFERENCE_NOT_FOUND'],
    ['019b76da-a800-7000-8000-00000000dead', 'REFERENCE_NOT_FOUND'],
  ])('the department %s', async (departmentId, code) => {
    const input = { departmentId, year: 2026, allocated: euros('1') }
    expect(await userErrors(admin, 'setBudget', input)).toMatchObject([{ code, field: ['departmentId'] }])
  })

  test("another tenant's department, in the same words as an unknown one", async () => {
    const foreign = await department(await globex.as('ADMIN'))
    const unknown = '019b76da-a800-7000-8000-00000000dead'
    const [mine, none] = await Promise.all(
      [foreign.id, unknown].map((departmentId) =>
        userErrors(admin, 'setBudget', { departmentId, year: 2026, allocated: euros('1') }),
      ),
    )
    expect(mine).toEqual(none)
    expect(await stored(foreign.id)).toEqual([])
  })
})

test('a budget of another tenant is none, and nothing of it can be spent', async () => {
  const { id: departmentId } = await department()
  const { id } = await set({ departmentId, month: 4 })
  const stranger = await globex.as('ADMIN')
  expect(await stranger.data('query ($id: ID!) { budget(id: $id) { id } }', { id })).toEqual({ budget: null })
  const expense = {
    transactionNumber: `N-${++count}`,
    type: 'EXPENSE',
    departmentId,
    amount: euros('1'),
    occurredAt: '2026-04-01T00:00:00Z',
  }
  expect(await userErrors(stranger, 'recordTransaction', expense)).toMatchObject([
    { code: 'REFERENCE_NOT_FOUND', field: ['departmentId'] },
  ])
  expect(await balance(id)).toEqual(['0.00', '1000.00'])
})

test('who may only read budgets cannot set one', async () => {
  const { id: departmentId } = await department()
  const { errors } = await (
    await acme.as('ANALYST')
  ).query('mutation ($input: SetBudgetInput!) { setBudget(input: $input) { budget { id } } }', {
    input: { departmentId, year: 2026, allocated: euros('1') },
  })
  expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  expect(await stored(departmentId)).toEqual([])
})

describe('spent', () => {
  test('are the expenses of the department, the currency and the period', async () => {
    const [{ id: departmentId }, other] = [await department(), await department()]
    const month = await set({ departmentId, year: 2024, month: 2 })
    const year = await set({ departmentId, year: 2024 })
    const leapDay = { departmentId, amount: euros('600'), occurredAt: '2024-02-29T23:59:59.999Z' }
    await record(leapDay)
    await record({ ...leapDay, amount: euros('-100.01') })
    await record({ ...leapDay, occurredAt: '2024-03-01T00:00:00Z', amount: euros('1') })
    await record({ ...leapDay, occurredAt: '2024-01-31T23:59:59.999Z', amount: euros('2') })
    await record({ ...leapDay, occurredAt: '2023-12-31T23:59:59.999Z', amount: euros('4') })
    await record({ ...leapDay, occurredAt: '2025-01-01T00:00:00Z', amount: euros('8') })
    await record({ ...leapDay, departmentId: other.id })
    await record({ ...leapDay, departmentId: null })
    await record({ ...leapDay, type: 'INCOME' })
    await record({ ...leapDay, amount: { amount: '600', currency: 'USD' } })
    expect(await balance(month.id)).toEqual(['499.99', '500.01'])
    expect(await balance(year.id)).toEqual(['502.99', '497.01'])
    await record({ ...leapDay, amount: euros('501') })
    expect(await balance(month.id)).toEqual(['1000.99', '-0.99'])
  })

  test('are what stands after any reversals: balances add up', async () => {
    const now = new Date()
    const period = { year: now.getUTCFullYear(), month: null }
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 1_000_000 }), fc.boolean()), {
          minLength: 1,
          maxLength: 6,
        }),
        async (bookings) => {
          const { id: departmentId } = await department()
          const { id } = await set({ departmentId, ...period, allocated: euros('0') })
          let expected = 0
          for (const [cents, isReversed] of bookings) {
            const amount = euros((cents / 100).toFixed(2))
            const transaction = await record({ departmentId, amount })
            const reversal = { id: transaction.id, transactionNumber: `N-${++count}` }
            if (isReversed) await change(admin, 'reverseTransaction', reversal, 'reversal { id }')
            else expected += cents
          }
          expect(await balance(id)).toEqual([
            (expected / 100).toFixed(2),
            (-expected / 100).toFixed(2).replace(/^-0\.00$/, '0.00'),
          ])
        },
      ),
      { numRuns: 8, endOnFailure: true },
    )
  })

  test('stay where they were booked once a transaction is reversed', async () => {
    const [first, second] = [await department(), await department()]
    const { id } = await record({ departmentId: first.id, amount: euros('10') })
    const move = { id, expectedVersion: 1, departmentId: second.id }
    await change(admin, 'updateTransaction', move, 'transaction { id }')
    const reversal = await change<Row>(
      admin,
      'reverseTransaction',
      { id, transactionNumber: `N-${++count}` },
      'reversal { id version department { id } }',
    )
    expect(reversal).toMatchObject({ department: { id: second.id } })
    for (const one of [
      { id, expectedVersion: 2 },
      { id: reversal.id, expectedVersion: 1 },
    ]) {
      const back = { ...one, departmentId: first.id }
      expect(await userErrors(admin, 'updateTransaction', back)).toMatchObject([
        { code: 'REVERSED', field: ['id'] },
      ])
    }
    const { rows } = await graph.owner.query('SELECT FROM finance.transactions WHERE department_id = $1', [
      second.id,
    ])
    expect(rows).toHaveLength(2)
  })
})

describe('rules', () => {
  test.each([
    [2024, 2, '2024-02-01T00:00:00.000Z', '2024-03-01T00:00:00.000Z'],
    [2026, 12, '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    [2026, null, '2026-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
  ])('the period of %s-%s', (year, month, startsAt, endsAt) => {
    expect(boundsOf({ year, month })).toEqual({ startsAt, endsAt })
  })

  test('the months of a year follow each other without gap and fill it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1900, max: 2999 }), (year) => {
        const months = Array.from({ length: 12 }, (_, month) => boundsOf({ year, month: month + 1 }))
        const whole = boundsOf({ year, month: null })
        expect(months[0]!.startsAt).toBe(whole.startsAt)
        expect(months[11]!.endsAt).toBe(whole.endsAt)
        for (let month = 1; month < 12; month += 1)
          expect(months[month]!.startsAt).toBe(months[month - 1]!.endsAt)
      }),
    )
  })

  test('what is spent and what is left are what was allocated', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n }), fc.bigInt(), (allocated, spent) => {
        expect(BigInt(remainingOf(String(allocated), String(spent))) + spent).toBe(allocated)
      }),
    )
  })
})

describe('lists', () => {
  let reader: TestClient
  const departments = [0, 1, 2].map((place) => ({
    id: `019b76da-a800-7000-8000-0000000000e${place}`,
    name: `Department ${place}`,
  }))
  const rows = Array.from({ length: 12 }, (_, place) => ({
    id: `019b76da-a800-7000-8000-00000000010${place.toString(16)}`,
    department_id: departments[place % 2]!.id,
    year: 2025,
    month: place < 2 ? null : Math.floor(place / 2),
    allocated: (place % 3) * 100,
    currency: place < 10 ? 'EUR' : 'JPY',
  }))

  beforeAll(async () => {
    const tenant = await graph.tenant('lists')
    reader = await tenant.as('VIEWER')
    await prepareRows(graph, tenant.id, 'hr.departments', departments)
    await prepareRows(graph, tenant.id, 'finance.budgets', rows)
  })

  test.each(
    ['PERIOD_START', 'ALLOCATED', 'CREATED_AT'].flatMap((field) => [
      [field, 'ASC'],
      [field, 'DESC'],
    ]),
  )('by %s %s come whole, each once, in the same order in pages and at once', async (field, direction) => {
    const order = `orderBy: { field: ${field}, direction: ${direction} }`
    const inPages = await readAll(reader, 'budgets', 'id', order, 2)
    expect(inPages).toEqual(await readAll(reader, 'budgets', 'id', order, 100))
    expect(inPages.map((row) => row['id']).sort()).toEqual(rows.map((row) => row.id))
  })

  test('come latest first when nothing else is asked', async () => {
    const starts = (await readAll(reader, 'budgets', 'periodStart')).map((row) => row['periodStart'])
    expect(starts).toEqual([...starts].sort().reverse())
    expect(starts[0]).toBe('2025-05-01')
  })

  test.each([
    [`departmentId: { eq: "${departments[1]!.id}" }, month: { gte: 4 }`, [9, 11]],
    ['allocated: { currency: "JPY" }', [10, 11]],
    ['month: { eq: 1 }', [2, 3]],
    ['periodStart: { lt: "2025-01-02" }', [0, 1, 2, 3]],
    ['year: { lte: 2024 }', []],
  ])('filter { %s }', async (filter, places) => {
    const read = await readAll(reader, 'budgets', 'id', `filter: { ${filter} }`)
    expect(read.map((row) => row['id']).sort()).toEqual(places.map((place) => rows[place]!.id))
  })

  test('the budgets of many departments and what is spent of them are two statements', async () => {
    const query = `{ departments(first: 3) { nodes {
      name budgets(first: 2, filter: { allocated: { currency: "EUR" } }) { nodes { month spent { amount } remaining { amount } } }
    } } }`
    let answer: unknown
    const sent = await graph.statementsDuring(async () => (answer = await reader.data(query)))
    expect(sent.filter(({ role }) => role === 'finance')).toHaveLength(2)
    const left = (month: number, amount: string) => ({
      month,
      spent: { amount: '0.00' },
      remaining: { amount },
    })
    expect(answer).toEqual({
      departments: {
        nodes: [
          { name: 'Department 0', budgets: { nodes: [left(4, '2.00'), left(3, '0.00')] } },
          { name: 'Department 1', budgets: { nodes: [left(4, '0.00'), left(3, '1.00')] } },
          { name: 'Department 2', budgets: { nodes: [] } },
        ],
      },
    })
  })

  test('a list of budgets with their departments is one statement in each subgraph', async () => {
    const query = '{ budgets(first: 12) { nodes { year department { name } } } }'
    const sent = await graph.statementsDuring(() => reader.data(query))
    const roles = sent.map(({ role }) => role).filter((role) => role === 'finance' || role === 'hr')
    expect(roles.sort()).toEqual(['finance', 'hr'])
  })
})
