import { Client } from 'pg'
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

interface Transaction {
  id: string
  version: number
}

const euros = { amount: '12.50', currency: 'EUR' }

const recorded = (values: Record<string, unknown> = {}): Promise<Transaction> =>
  change<Transaction>(
    admin,
    'recordTransaction',
    { transactionNumber: `N-${++count}`, type: 'EXPENSE', amount: euros, ...values },
    'transaction { id version }',
  )

async function stored(number: string): Promise<Record<string, unknown>[]> {
  const { rows } = await graph.owner.query<Record<string, unknown>>(
    'SELECT * FROM finance.transactions WHERE transaction_number = $1',
    [number],
  )
  return rows
}

const everything = `{
  id transactionNumber type category amount { amount currency } description occurredAt
  isFraudulent fraudScore version reversalOf { id } reversedBy { id }
}`

test('a transaction is recorded, read and filed', async () => {
  const values = {
    transactionNumber: 'T-1',
    type: 'INCOME',
    category: 'Licences',
    amount: { amount: '90071992547409.93', currency: 'EUR' },
    description: 'Ünïcode ✓',
    occurredAt: '2024-02-29T12:00:00.123Z',
  }
  const { id } = await change<Transaction>(admin, 'recordTransaction', values, 'transaction { id }')
  const expected = {
    ...values,
    id,
    isFraudulent: false,
    fraudScore: null,
    version: 1,
    reversalOf: null,
    reversedBy: null,
  }
  expect(await admin.data(`query ($id: ID!) { transaction(id: $id) ${everything} }`, { id })).toEqual({
    transaction: expected,
  })
  const changes = { id, expectedVersion: 1, category: null }
  expect(await change(admin, 'updateTransaction', changes, `transaction ${everything}`)).toEqual({
    ...expected,
    category: null,
    version: 2,
  })
})

test.each([
  ['JPY', '1200', '1200'],
  ['KWD', '-0.001', '-0.001'],
  ['USD', '5', '5.00'],
])('money in %s keeps its decimals', async (currency, amount, expected) => {
  const input = { transactionNumber: `N-${++count}`, type: 'ADJUSTMENT', amount: { amount, currency } }
  const transaction = await change(
    admin,
    'recordTransaction',
    input,
    'transaction { amount { amount currency } }',
  )
  expect(transaction).toEqual({ amount: { amount: expected, currency } })
})

describe('what is refused names its field', () => {
  const future = new Date(Date.now() + 86_400_000).toISOString()
  test.each([
    ['an empty number', { transactionNumber: '' }, 'transactionNumber'],
    ['a long number', { transactionNumber: 'x'.repeat(101) }, 'transactionNumber'],
    ['nothing', { amount: { amount: '0', currency: 'EUR' } }, 'amount'],
    ['too many decimals', { amount: { amount: '1.5', currency: 'JPY' } }, 'amount'],
    ['too much', { amount: { amount: '92233720368547758.08', currency: 'EUR' } }, 'amount'],
    ['a long category', { category: 'x'.repeat(101) }, 'category'],
    ['a long description', { description: 'x'.repeat(2_001) }, 'description'],
    ['the future', { occurredAt: future }, 'occurredAt'],
  ])('%s', async (_, values, field) => {
    const number = `REFUSED-${++count}`
    const input = { transactionNumber: number, type: 'EXPENSE', amount: euros, ...values }
    expect(await userErrors(admin, 'recordTransaction', input)).toMatchObject([
      { code: 'INVALID', field: [field] },
    ])
    expect(await stored(number)).toEqual([])
  })

  test('a score out of bounds', async () => {
    const { id } = await recorded()
    const errors = await userErrors(admin, 'flagTransaction', { id, expectedVersion: 1, fraudScore: 1.5 })
    expect(errors).toEqual([
      { code: 'INVALID', field: ['fraudScore'], message: 'fraudScore must be between 0 and 1' },
    ])
  })

  test('a number that is in use; another tenant may use it', async () => {
    const input = { transactionNumber: 'TWICE', type: 'EXPENSE', amount: euros }
    await recorded(input)
    const errors = await userErrors(admin, 'recordTransaction', input)
    expect(errors).toMatchObject([{ code: 'DUPLICATE', field: ['transactionNumber'] }])
    await change(await globex.as('ADMIN'), 'recordTransaction', input, 'transaction { id }')
    expect(await stored('TWICE')).toHaveLength(2)
  })
})

test('a stale version changes nothing', async () => {
  const { id } = await recorded({ transactionNumber: 'STALE' })
  await change(
    admin,
    'updateTransaction',
    { id, expectedVersion: 1, category: 'Energy' },
    'transaction { id }',
  )
  const errors = await userErrors(admin, 'updateTransaction', { id, expectedVersion: 1, category: 'Travel' })
  expect(errors).toMatchObject([{ code: 'STALE_VERSION', field: ['expectedVersion'] }])
  expect(await stored('STALE')).toMatchObject([{ category: 'Energy', version: 2 }])
})

describe('with an idempotency key', () => {
  const once = (client: TestClient, values: Record<string, unknown>): Promise<Transaction> =>
    change<Transaction>(
      client,
      'recordTransaction',
      { type: 'EXPENSE', amount: euros, ...values },
      'transaction { id version }',
    )

  test('the same request again records nothing and gives the first answer', async () => {
    const input = { idempotencyKey: 'payment 1', transactionNumber: 'ONCE' }
    const first = await once(admin, input)
    expect(await once(admin, input)).toEqual(first)
    expect(await stored('ONCE')).toHaveLength(1)
  })

  test('twenty requests at once record one transaction', async () => {
    const input = { idempotencyKey: 'payment 2', transactionNumber: 'TWENTY' }
    const answers = await Promise.all(Array.from({ length: 20 }, () => once(admin, input)))
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
    expect(await stored('TWENTY')).toHaveLength(1)
  })

  test('another input is refused and recorded nowhere', async () => {
    await once(admin, { idempotencyKey: 'payment 3', transactionNumber: 'FIRST-INPUT' })
    const other = {
      idempotencyKey: 'payment 3',
      transactionNumber: 'OTHER-INPUT',
      type: 'EXPENSE',
      amount: euros,
    }
    const errors = await userErrors(admin, 'recordTransaction', other)
    expect(errors).toMatchObject([{ code: 'IDEMPOTENCY_KEY_REUSED', field: ['idempotencyKey'] }])
    expect(await stored('OTHER-INPUT')).toEqual([])
  })

  test('another user gets the first answer, another tenant may use the same key (B4)', async () => {
    const key = { idempotencyKey: 'payment 4' }
    const first = await once(admin, { ...key, transactionNumber: 'KEY-A' })
    expect(await once(await acme.user('ADMIN'), { ...key, transactionNumber: 'KEY-A' })).toEqual(first)
    await once(await globex.as('ADMIN'), { ...key, transactionNumber: 'KEY-C' })
    expect(
      await Promise.all(['KEY-A', 'KEY-C'].map(async (number) => (await stored(number)).length)),
    ).toEqual([1, 1])
  })

  test('a request that failed may be corrected under its key', async () => {
    const key = { idempotencyKey: 'payment 5', type: 'EXPENSE', amount: euros }
    expect(await userErrors(admin, 'recordTransaction', { ...key, transactionNumber: '' })).toHaveLength(1)
    expect(await userErrors(admin, 'recordTransaction', { ...key, transactionNumber: 'CORRECTED' })).toEqual(
      [],
    )
  })
})

describe('a reversal', () => {
  test('is the opposite, and both tell of each other', async () => {
    const original = await recorded({ category: 'Travel' })
    const input = { id: original.id, transactionNumber: `N-${++count}`, description: 'Booked twice' }
    const selection = `reversal { id type category amount { amount currency } description reversalOf { id reversedBy { id } } }`
    const reversal = await change<Transaction>(admin, 'reverseTransaction', input, selection)
    expect(reversal).toEqual({
      id: reversal.id,
      type: 'EXPENSE',
      category: 'Travel',
      amount: { amount: '-12.50', currency: 'EUR' },
      description: 'Booked twice',
      reversalOf: { id: original.id, reversedBy: { id: reversal.id } },
    })
  })

  test('happens once, also when ten ask at once, and is not itself reversed', async () => {
    const { id } = await recorded()
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, place) =>
        userErrors(admin, 'reverseTransaction', { id, transactionNumber: `R-${place}` }),
      ),
    )
    expect(answers.filter((errors) => errors.length === 0)).toHaveLength(1)
    expect(answers.flat()).toEqual(
      Array.from({ length: 9 }, () => ({
        code: 'NOT_REVERSIBLE',
        field: ['id'],
        message: 'This transaction is reversed already',
      })),
    )
    const { rows } = await graph.owner.query<{ id: string }>(
      'SELECT id FROM finance.transactions WHERE reversal_of_id = $1',
      [id],
    )
    const again = { id: rows[0]!.id, transactionNumber: 'R-AGAIN' }
    expect(await userErrors(admin, 'reverseTransaction', again)).toMatchObject([{ code: 'NOT_REVERSIBLE' }])
    expect(await stored('R-AGAIN')).toEqual([])
  })

  test("is not for another tenant's transaction", async () => {
    const { id } = await recorded()
    const stranger = await globex.as('ADMIN')
    const errors = await userErrors(stranger, 'reverseTransaction', { id, transactionNumber: 'R-SPY' })
    expect(errors).toMatchObject([{ code: 'NOT_FOUND', field: ['id'] }])
    expect(await stored('R-SPY')).toEqual([])
    expect(await stranger.data('query ($id: ID!) { transaction(id: $id) { id } }', { id })).toEqual({
      transaction: null,
    })
  })
})

test.each([
  'amount = 1',
  "currency = 'USD'",
  'occurred_at = now()',
  "type = 'INCOME'",
  "transaction_number = 'X'",
])('the database itself refuses to set %s', async (assignment) => {
  const client = new Client({ connectionString: graph.database.urlFor('finance') })
  await client.connect()
  await client.query("SELECT set_config('app.tenant_id', $1, false)", [acme.id])
  const change = client.query('UPDATE finance.transactions SET ' + assignment)
  await expect(change).rejects.toMatchObject({ code: '42501' })
  await expect(client.query('DELETE FROM finance.transactions')).rejects.toMatchObject({ code: '42501' })
  await client.end()
})

test('a transaction is flagged, and cleared again, by who may judge it', async () => {
  const { id } = await recorded()
  const officer = await acme.as('COMPLIANCE_OFFICER')
  const selection = 'transaction { isFraudulent fraudScore version }'
  const flag = { id, expectedVersion: 1, fraudScore: 0.875 }
  expect(await change(officer, 'flagTransaction', flag, selection)).toEqual({
    isFraudulent: true,
    fraudScore: 0.875,
    version: 2,
  })
  const clear = { id, expectedVersion: 2, isFraudulent: false, fraudScore: null }
  expect(await change(officer, 'flagTransaction', clear, selection)).toEqual({
    isFraudulent: false,
    fraudScore: null,
    version: 3,
  })
  const analyst = await acme.as('ANALYST')
  const { errors } = await analyst.query(
    'mutation ($input: FlagTransactionInput!) { flagTransaction(input: $input) { transaction { id } } }',
    { input: { id, expectedVersion: 3 } },
  )
  expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  expect(
    await admin.data('query ($id: ID!) { transaction(id: $id) { isFraudulent version } }', { id }),
  ).toEqual({
    transaction: { isFraudulent: false, version: 3 },
  })
})

test('who may only read transactions cannot record one', async () => {
  const viewer = await acme.as('VIEWER')
  const { errors } = await viewer.query(`mutation {
    recordTransaction(input: { transactionNumber: "SPY", type: INCOME, amount: { amount: "1", currency: "EUR" } }) {
      transaction { id }
    }
  }`)
  expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  expect(await stored('SPY')).toEqual([])
})

describe('a list', () => {
  let reader: TestClient
  const rows = Array.from({ length: 15 }, (_, place) => ({
    id: `019b76da-a800-7000-8000-${String(place).padStart(12, '0')}`,
    transaction_number: `T${String(place).padStart(2, '0')}`,
    type: ['INCOME', 'EXPENSE', 'TRANSFER'][place % 3],
    category: place % 4 === 0 ? null : `Category ${place % 2}`,
    amount: place % 2 === 0 ? 9_007_199_254_740_993n.toString() : -place,
    currency: place < 10 ? 'EUR' : 'JPY',
    occurred_at: `2026-01-0${1 + (place % 4)}T00:00:00Z`,
    is_fraudulent: place === 7,
    fraud_score: place % 3 === 0 ? null : 0.5,
  }))

  beforeAll(async () => {
    const tenant = await graph.tenant('lists')
    reader = await tenant.as('VIEWER')
    await prepareRows(graph, tenant.id, 'finance.transactions', rows)
  })

  test.each(
    ['TRANSACTION_NUMBER', 'OCCURRED_AT', 'AMOUNT', 'CATEGORY', 'FRAUD_SCORE', 'CREATED_AT'].flatMap(
      (field) => [
        [field, 'ASC'],
        [field, 'DESC'],
      ],
    ),
  )(
    'by %s %s comes whole, each row once, in the same order in pages and at once',
    async (field, direction) => {
      const order = `orderBy: { field: ${field}, direction: ${direction} }`
      const inPages = await readAll(reader, 'transactions', 'id', order, 2)
      expect(inPages).toEqual(await readAll(reader, 'transactions', 'id', order, 100))
      expect(new Set(inPages.map((row) => row['id']))).toEqual(new Set(rows.map((row) => row.id)))
      expect(inPages).toHaveLength(rows.length)
    },
  )

  test('comes latest first when nothing else is asked', async () => {
    const read = await readAll(reader, 'transactions', 'occurredAt')
    const instants = rows
      .map((row) => row.occurred_at.replace('Z', '.000Z'))
      .sort()
      .reverse()
    expect(read.map((row) => row['occurredAt'])).toEqual(instants)
  })

  test.each([
    ['type: { in: [INCOME, TRANSFER] }, amount: { currency: "JPY" }', ['T11', 'T12', 'T14']],
    ['type: { in: [] }', []],
    ['category: { eq: "Category 1" }, amount: { currency: "JPY" }', ['T11', 'T13']],
    ['isFraudulent: { eq: true }', ['T07']],
    ['fraudScore: { gte: 0.5 }, type: { in: [EXPENSE] }', ['T01', 'T04', 'T07', 'T10', 'T13']],
    ['occurredAt: { gte: "2026-01-04T00:00:00Z" }', ['T03', 'T07', 'T11']],
    ['occurredAt: { lt: "2026-01-01T00:00:00.001Z" }', ['T00', 'T04', 'T08', 'T12']],
    ['transactionNumber: { startsWith: "t1" }, type: { in: [EXPENSE] }', ['T10', 'T13']],
    ['search: "CATEGORY 1", type: { in: [TRANSFER] }', ['T05', 'T11']],
  ])('filter { %s }', async (filter, expected) => {
    const args = `filter: { ${filter} }, orderBy: { field: TRANSACTION_NUMBER }`
    const read = await readAll(reader, 'transactions', 'transactionNumber', args, 100)
    expect(read.map((row) => row['transactionNumber'])).toEqual(expected)
  })
})
