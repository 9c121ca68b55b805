import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, userErrors } from '../support/lists'
import { refusedAs } from './as-finance'

let graph: TestGraph
let acme: TestTenant
let admin: TestClient
const accounts = new Map<string, string>()

interface Line {
  account: { code: string }
  debits: { amount: string }
  credits: { amount: string }
  balance: { amount: string }
}

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  admin = await acme.as('ADMIN')
  await change(admin, 'importChartOfAccounts', {}, 'ledgerAccounts { id }')
  const { ledgerAccounts } = await admin.data<{ ledgerAccounts: { nodes: { id: string; code: string }[] } }>(
    '{ ledgerAccounts(first: 100) { nodes { id code } } }',
  )
  for (const { id, code } of ledgerAccounts.nodes) accounts.set(code, id)
})
afterAll(() => graph?.close())

const today = () => graph.clock.now().toISOString().slice(0, 10)
const euros = (amount: string) => ({ amount, currency: 'EUR' })
const debit = (code: string, amount: string, more: object = {}) => ({
  ledgerAccountId: accounts.get(code),
  debit: euros(amount),
  ...more,
})
const credit = (code: string, amount: string, more: object = {}) => ({
  ledgerAccountId: accounts.get(code),
  credit: euros(amount),
  ...more,
})
const sale = (amount: string) => [debit('1400', amount), credit('4000', amount)]

const post = (input: object, client = admin) =>
  change<{ id: string; entryNumber: string }>(
    client,
    'postJournalEntry',
    input as Record<string, unknown>,
    'journalEntry { id entryNumber }',
  )

async function trial(client: TestClient, currency = 'EUR', asOf = today()) {
  const { trialBalance } = await client.data<{
    trialBalance: { lines: Line[]; debits: { amount: string }; credits: { amount: string } }
  }>(
    `query ($asOf: Date!, $currency: CurrencyCode!) { trialBalance(asOf: $asOf, currency: $currency) {
       lines { account { code } debits { amount } credits { amount } balance { amount } }
       debits { amount } credits { amount } } }`,
    { asOf, currency },
  )
  return trialBalance
}

const balances = async (client: TestClient, currency = 'EUR', asOf = today()) =>
  Object.fromEntries(
    (await trial(client, currency, asOf)).lines.map((line) => [line.account.code, line.balance.amount]),
  )

const stored = async () =>
  (
    await graph.owner.query<{ entries: number; postings: number }>(
      `SELECT (SELECT count(*)::int FROM finance.journal_entries) AS entries,
            (SELECT count(*)::int FROM finance.postings) AS postings`,
    )
  ).rows[0]

describe('the chart of accounts', () => {
  test('is imported once, and again adds what is missing alone', async () => {
    const tenant = await (await graph.tenant('chart')).as('ADMIN')
    const own = { code: '9000', name: 'Our bank', type: 'ASSET', purpose: 'BANK' }
    await change(tenant, 'createLedgerAccount', own, 'ledgerAccount { id }')
    expect(await change(tenant, 'importChartOfAccounts', {}, 'ledgerAccounts { id }')).toHaveLength(33)
    expect(
      await change(tenant, 'importChartOfAccounts', { chart: 'GENERAL' }, 'ledgerAccounts { id }'),
    ).toEqual([])
    const read = `{ ledgerAccounts(first: 50, filter: { purpose: { eq: BANK } }) { nodes { code normalSide type } } }`
    expect(await tenant.data(read)).toEqual({
      ledgerAccounts: { nodes: [{ code: '9000', normalSide: 'DEBIT', type: 'ASSET' }] },
    })
  })

  test('a contra account has the other side, a purpose one account, a code one spelling', async () => {
    const contra = { code: 'C1', name: 'Depreciation so far', type: 'ASSET', normalSide: 'CREDIT' }
    const made = await change(admin, 'createLedgerAccount', contra, 'ledgerAccount { normalSide version }')
    expect(made).toEqual({ normalSide: 'CREDIT', version: 1 })
    expect(await userErrors(admin, 'createLedgerAccount', { ...contra, code: 'c1' })).toMatchObject([
      { code: 'DUPLICATE', field: ['code'] },
    ])
    const second = { code: 'C2', name: 'Second bank', type: 'ASSET', purpose: 'BANK' }
    expect(await userErrors(admin, 'createLedgerAccount', second)).toMatchObject([
      { code: 'DUPLICATE', field: ['purpose'] },
    ])
    expect(await userErrors(admin, 'createLedgerAccount', { ...second, purpose: null, code: '' })).toEqual([
      { code: 'INVALID', field: ['code'], message: 'code must not be empty' },
    ])
  })

  test('an account is closed without balance and purpose only, and then takes nothing', async () => {
    const account = { code: 'X1', name: 'To close', type: 'EXPENSE' }
    const { id } = await change<{ id: string }>(admin, 'createLedgerAccount', account, 'ledgerAccount { id }')
    accounts.set('X1', id)
    const close = (expectedVersion: number, of = id) =>
      userErrors(admin, 'closeLedgerAccount', { id: of, expectedVersion })
    const { id: entry } = await post({ postings: [debit('X1', '5'), credit('1200', '5')] })
    expect(await close(1)).toMatchObject([{ code: 'ACCOUNT_IN_USE', field: ['id'] }])
    await change(admin, 'reverseJournalEntry', { id: entry }, 'reversal { id }')
    expect(await close(1, accounts.get('1200'))).toMatchObject([
      { code: 'ACCOUNT_IN_USE', message: expect.stringContaining('BANK') },
    ])
    const spent = await post({ postings: [debit('X1', '7'), credit('1200', '7')] })
    await post({ postings: [debit('1200', '7'), credit('X1', '7')] })
    expect(await close(1)).toEqual([])
    const before = await stored()
    expect(await userErrors(admin, 'reverseJournalEntry', { id: spent.id })).toEqual([
      { code: 'ACCOUNT_CLOSED', field: null, message: 'The account X1 is closed' },
    ])
    expect(
      await userErrors(admin, 'postJournalEntry', { postings: [debit('X1', '5'), credit('1200', '5')] }),
    ).toEqual([
      {
        code: 'ACCOUNT_CLOSED',
        field: ['postings', '0', 'ledgerAccountId'],
        message: 'The account X1 is closed',
      },
    ])
    expect(await stored()).toEqual(before)
    await change(admin, 'reopenLedgerAccount', { id, expectedVersion: 2 }, 'ledgerAccount { id }')
    await post({ postings: [debit('X1', '5'), credit('1200', '5')] })
  })
})

describe('an entry', () => {
  test('is posted with its postings in their order and read back in three statements', async () => {
    const input = {
      bookedOn: '2026-01-31',
      description: 'January, rent and power',
      postings: [debit('6200', '1200'), debit('6000', '80.5', { memo: 'Power' }), credit('1200', '1280.50')],
    }
    const { id, entryNumber } = await post(input)
    expect(entryNumber).toMatch(/^2026-\d{6}$/)
    const read = () =>
      admin.data(
        `query ($id: ID!) { journalEntry(id: $id) { bookedOn description sourceType reversalOf { id } reversedBy { id }
           createdBy { id } transaction { id }
           postings(first: 10) { nodes { position memo account { code } debit { amount } credit { amount } amount { amount currency } bookedOn } } } }`,
        { id },
      )
    let answer: unknown
    const statements = await graph.statementsDuring(async () => (answer = await read()))
    expect(answer).toEqual({
      journalEntry: {
        bookedOn: '2026-01-31',
        description: 'January, rent and power',
        sourceType: null,
        reversalOf: null,
        reversedBy: null,
        transaction: null,
        createdBy: { id: admin.userId },
        postings: {
          nodes: [
            ['6200', '1200.00', null, null],
            ['6000', '80.50', 'Power', null],
            ['1200', null, null, '1280.50'],
          ].map(([code, debited, memo, credited], place) => ({
            position: place + 1,
            memo,
            account: { code },
            debit: debited && { amount: debited },
            credit: credited && { amount: credited },
            amount: euros(debited ?? `-${credited}`),
            bookedOn: '2026-01-31',
          })),
        },
      },
    })
    // The entry, its reversal, its postings with their accounts.
    expect(statements.filter(({ role }) => role === 'finance')).toHaveLength(3)
  })

  test('lists of entries with postings, and of postings, have statements that do not grow with rows', async () => {
    await post({ postings: sale('1') })
    await post({ postings: sale('2') })
    const nested = `{ journalEntries(first: 20) { nodes { entryNumber postings(first: 5) { nodes { account { code } } } } } }`
    expect(await graph.statementsDuring(() => admin.data(nested))).toHaveLength(2)
    const list = `{ postings(first: 20, filter: { bookedOn: { gte: "2026-01-01" } }) { nodes { amount { amount } account { code name } entry { entryNumber } } } }`
    expect(await graph.statementsDuring(() => admin.data(list))).toHaveLength(1)
    const sheet = `{ ledgerAccounts(first: 50) { nodes { code balance(currency: "EUR") { amount } postings(first: 3) { nodes { id } } } } }`
    expect(await graph.statementsDuring(() => admin.data(sheet))).toHaveLength(3)
    const trialBalance = `{ trialBalance(asOf: "${today()}", currency: "EUR") { lines { account { code } balance { amount } } } }`
    expect(await graph.statementsDuring(() => admin.data(trialBalance))).toHaveLength(2)
  })

  test.each([
    ['nothing', [], 'NOT_BALANCED', ['postings'], /2 to 200/],
    ['one side', [debit('1200', '1')], 'NOT_BALANCED', ['postings'], /2 to 200/],
    [
      'unequal sides',
      [debit('1200', '1'), credit('4000', '1.01')],
      'NOT_BALANCED',
      ['postings'],
      /EUR: debits lack 0\.01/,
    ],
    [
      'a negative amount',
      [debit('1200', '-1'), credit('4000', '-1')],
      'INVALID',
      ['postings', '0', 'debit'],
      /more than nothing/,
    ],
    [
      'both sides at once',
      [debit('1200', '1', { credit: euros('1') }), credit('4000', '1')],
      'INVALID',
      ['postings', '0', 'debit'],
      /either/,
    ],
    [
      'no side',
      [debit('1200', '1'), { ledgerAccountId: 'x' }],
      'INVALID',
      ['postings', '1', 'credit'],
      /either/,
    ],
    [
      'too many decimals',
      [debit('1200', '1.001'), credit('4000', '1')],
      'INVALID',
      ['postings', '0', 'debit'],
      /2 decimals/,
    ],
    [
      'no account',
      [{ ledgerAccountId: 'x', debit: euros('1') }, credit('4000', '1')],
      'REFERENCE_NOT_FOUND',
      ['postings', '0', 'ledgerAccountId'],
      /no account/,
    ],
    [
      'a rate without base',
      [debit('1200', '1', { exchangeRate: '2' }), credit('4000', '1')],
      'INVALID',
      ['postings'],
      /baseCurrency/,
    ],
  ])('of %s is refused and nothing stored', async (_, postings, code, field, message) => {
    // The table is made before the accounts are there.
    const codes = ['1200', '4000']
    const known = postings.map((posting, place) => ({
      ...posting,
      ledgerAccountId:
        'ledgerAccountId' in posting && posting.ledgerAccountId === 'x' ? 'x' : accounts.get(codes[place]!),
    }))
    const before = await stored()
    expect(await userErrors(admin, 'postJournalEntry', { postings: known })).toMatchObject([
      { code, field, message: expect.stringMatching(message) },
    ])
    expect(await stored()).toEqual(before)
  })

  test('of the future is refused, and of a day before the calendar’s', async () => {
    const tomorrow = new Date(graph.clock.now().getTime() + 86_400_000).toISOString().slice(0, 10)
    for (const bookedOn of [tomorrow, '1899-12-31'])
      expect(await userErrors(admin, 'postJournalEntry', { bookedOn, postings: sale('1') })).toMatchObject([
        { code: 'INVALID', field: ['bookedOn'] },
      ])
  })

  test('of a document is posted once, also by ten at once, and numbers have no gaps', async () => {
    const document = { sourceType: 'tenancy.invoice-issued', sourceId: 'R-1', postings: sale('119') }
    const first = await post(document)
    const again = await Promise.all(Array.from({ length: 10 }, () => post(document)))
    expect(new Set(again.map(({ id }) => id))).toEqual(new Set([first.id]))
    const other = { ...document, sourceId: 'R-2' }
    const parallel = await Promise.all(Array.from({ length: 10 }, () => post(other)))
    expect(new Set(parallel.map(({ id }) => id)).size).toBe(1)
    const { rows } = await graph.owner.query(
      `SELECT count(*)::int AS count, max(entry_number) AS last, (SELECT last_number::int FROM finance.entry_series WHERE tenant_id = $1 AND year = $2) AS given
         FROM finance.journal_entries WHERE tenant_id = $1 AND entry_number LIKE $2 || '-%'`,
      [acme.id, Number(today().slice(0, 4))],
    )
    const { count, last, given } = rows[0] as { count: number; last: string; given: number }
    expect([given, last]).toEqual([count, `${today().slice(0, 4)}-${String(count).padStart(6, '0')}`])
    expect(await userErrors(admin, 'postJournalEntry', { ...document, sourceId: null })).toMatchObject([
      { code: 'INVALID', field: ['sourceType'] },
    ])
  })

  test('is reversed once, on a day that is not before it; a reversal never', async () => {
    const before = await balances(admin)
    const { id } = await post({ bookedOn: '2026-02-10', description: 'Twice', postings: sale('40') })
    const refused = (input: Record<string, unknown>) => userErrors(admin, 'reverseJournalEntry', input)
    expect(await refused({ id, bookedOn: '2026-02-09' })).toMatchObject([
      { code: 'INVALID', field: ['bookedOn'] },
    ])
    const all = await Promise.all(
      Array.from({ length: 5 }, () => refused({ id, description: 'Booked twice' })),
    )
    expect(all.filter((errors) => errors.length === 0)).toHaveLength(1)
    for (const errors of all)
      if (errors.length > 0) expect(errors).toMatchObject([{ code: 'NOT_REVERSIBLE', field: ['id'] }])
    const { journalEntry } = await admin.data<{
      journalEntry: { reversedBy: { id: string; description: string } }
    }>('query ($id: ID!) { journalEntry(id: $id) { reversedBy { id description } } }', { id })
    expect(journalEntry.reversedBy.description).toBe('Booked twice')
    expect(await refused({ id: journalEntry.reversedBy.id })).toMatchObject([{ code: 'NOT_REVERSIBLE' }])
    expect(await balances(admin)).toEqual(before)
  })

  test('in two currencies keeps its rates, and what rounding leaves goes to its account', async () => {
    const dollars = (amount: string) => ({ amount, currency: 'USD' })
    const usd = (code: string, side: 'debit' | 'credit', amount: string) => ({
      ledgerAccountId: accounts.get(code),
      [side]: dollars(amount),
      exchangeRate: '0.95',
    })
    const postings = [
      usd('1400', 'debit', '0.99'),
      usd('4000', 'credit', '0.33'),
      usd('4000', 'credit', '0.33'),
      usd('4800', 'credit', '0.33'),
    ]
    const { id } = await post({ bookedOn: '2026-03-02', baseCurrency: 'EUR', postings })
    const { journalEntry } = await admin.data<{ journalEntry: { postings: { nodes: object[] } } }>(
      `query ($id: ID!) { journalEntry(id: $id) { postings(first: 9) { nodes {
         account { code } amount { amount currency } exchangeRate baseAmount { amount currency } debit { amount } } } } }`,
      { id },
    )
    const line = (code: string, amount: string, base: string) => ({
      account: { code },
      amount: dollars(amount),
      exchangeRate: '0.95',
      baseAmount: euros(base),
      debit: amount.startsWith('-') ? null : { amount },
    })
    expect(journalEntry.postings.nodes).toEqual([
      line('1400', '0.99', '0.94'),
      line('4000', '-0.33', '-0.31'),
      line('4000', '-0.33', '-0.31'),
      line('4800', '-0.33', '-0.31'),
      {
        account: { code: '6950' },
        amount: euros('0.00'),
        exchangeRate: null,
        baseAmount: euros('-0.01'),
        debit: null,
      },
    ])
    // In dollars and in euros all is equal; in euros alone, the rounding difference is seen.
    const both = await trial(admin, 'USD')
    expect(both.debits).toEqual(both.credits)
    const { trialBalance } = await admin.data<{
      trialBalance: { lines: Line[]; debits: object; credits: object }
    }>(
      `{ trialBalance(asOf: "${today()}", currency: "EUR", basis: CONVERTED) { debits { amount } credits { amount }
          lines { account { code } balance { amount } } } }`,
    )
    expect(trialBalance.debits).toEqual(trialBalance.credits)
    expect(trialBalance.lines.find(({ account }) => account.code === '6950')?.balance.amount).toBe('-0.01')
    await change(admin, 'reverseJournalEntry', { id }, 'reversal { id }')
    const { ledgerAccounts } = await admin.data<{ ledgerAccounts: { nodes: { balance: object }[] } }>(
      `{ ledgerAccounts(filter: { code: { eq: "6950" } }) { nodes { balance(currency: "EUR") { amount } } } }`,
    )
    expect(ledgerAccounts.nodes).toEqual([{ balance: { amount: '0.00' } }])
  })
})

describe('whatever the application does, the database', () => {
  const asFinance = (...texts: string[]) => refusedAs(graph, acme.id, texts)
  const entry = (
    count: number,
  ) => `INSERT INTO finance.journal_entries (id, entry_number, booked_on, posting_count)
    VALUES ('019b76da-a800-7000-8000-000000000e01', '2026-900001', '2026-01-01', ${count})`
  const posting = (position: number, amount: number, currency = 'EUR') =>
    `INSERT INTO finance.postings (id, entry_id, booked_on, position, account_id, amount, currency) VALUES (
       gen_random_uuid(), '019b76da-a800-7000-8000-000000000e01', '2026-01-01', ${position}, '${accounts.get('1200')}', ${amount}, '${currency}')`

  test('takes an entry that is whole', async () => {
    expect(await asFinance(entry(2), posting(1, 5), posting(2, -5))).toBeNull()
  })
  test('refuses one that does not add up in a currency', async () => {
    expect(await asFinance(entry(2), posting(1, 5), posting(2, -4))).toMatch(/does not add up in EUR/)
    expect(await asFinance(entry(2), posting(1, 5), posting(2, -5, 'USD'))).toMatch(/does not add up/)
  })
  test('refuses one without postings, and one that lacks some', async () => {
    expect(await asFinance(entry(2))).toMatch(/has 0 postings instead of 2/)
    expect(await asFinance(entry(4), posting(1, 5), posting(2, -5))).toMatch(/has 2 postings instead of 4/)
  })
  test('refuses postings that come later to an entry, though they add up', async () => {
    const { id } = await post({ postings: sale('3') })
    const later = (position: number, amount: number) =>
      `INSERT INTO finance.postings (id, entry_id, booked_on, position, account_id, amount, currency)
       VALUES (gen_random_uuid(), '${id}', '${today()}', ${position}, '${accounts.get('1200')}', ${amount}, 'EUR')`
    expect(await asFinance(later(3, 1), later(4, -1))).toMatch(/has 4 postings instead of 2/)
  })
  test('refuses to change or delete what is posted', async () => {
    expect(await asFinance("UPDATE finance.journal_entries SET description = 'other'")).toMatch(
      /never changed/,
    )
    expect(await asFinance('UPDATE finance.postings SET amount = 0')).toMatch(/permission denied/)
    for (const table of ['postings', 'journal_entries'])
      expect(await asFinance(`DELETE FROM finance.${table}`)).toMatch(/permission denied/)
    await expect(graph.owner.query('UPDATE finance.postings SET amount = amount + 1')).rejects.toThrow(
      /never changed/,
    )
  })
})

describe('a transaction is an entry of two postings', () => {
  const booked = (type: string, amount: string, more: object = {}) =>
    change<{ id: string; journalEntry: { bookedOn: string; postings: { nodes: unknown } } }>(
      admin,
      'recordTransaction',
      {
        transactionNumber: `${type} ${amount} ${JSON.stringify(more)}`.slice(0, 90),
        type,
        amount: euros(amount),
        ...more,
      },
      'transaction { id journalEntry { bookedOn postings(first: 3) { nodes { account { code } amount { amount } } } } }',
    )
  test.each([
    [
      'INCOME',
      '10',
      [
        ['1200', '10.00'],
        ['4000', '-10.00'],
      ],
    ],
    [
      'EXPENSE',
      '10',
      [
        ['6000', '10.00'],
        ['1200', '-10.00'],
      ],
    ],
    [
      'EXPENSE',
      '-4',
      [
        ['6000', '-4.00'],
        ['1200', '4.00'],
      ],
    ],
    [
      'TRANSFER',
      '7',
      [
        ['1300', '7.00'],
        ['1200', '-7.00'],
      ],
    ],
    [
      'ADJUSTMENT',
      '1',
      [
        ['1900', '1.00'],
        ['6990', '-1.00'],
      ],
    ],
  ])('%s of %s', async (type, amount, expected) => {
    const { journalEntry } = await booked(type, amount, { occurredAt: '2026-04-30T23:59:59.999Z' })
    expect(journalEntry).toEqual({
      bookedOn: '2026-04-30',
      postings: {
        nodes: expected.map(([code, value]) => ({ account: { code }, amount: { amount: value } })),
      },
    })
  })

  test('on accounts of choice; one that is none is refused with its field, and nothing recorded', async () => {
    const { journalEntry } = await booked('EXPENSE', '900', { ledgerAccountId: accounts.get('6200') })
    expect(journalEntry.postings.nodes).toMatchObject([
      { account: { code: '6200' } },
      { account: { code: '1200' } },
    ])
    const input = { transactionNumber: 'no account', type: 'INCOME', amount: euros('1') }
    expect(await userErrors(admin, 'recordTransaction', { ...input, ledgerAccountId: 'x' })).toMatchObject([
      { code: 'REFERENCE_NOT_FOUND', field: ['ledgerAccountId'] },
    ])
    const { rows } = await graph.owner.query(
      "SELECT 1 FROM finance.transactions WHERE transaction_number = 'no account'",
    )
    expect(rows).toEqual([])
  })

  test('its reversal books the opposite on the same accounts; its entry is not reversed by itself', async () => {
    const before = await balances(admin)
    const { id } = await booked('EXPENSE', '33', { ledgerAccountId: accounts.get('6800') })
    const { journalEntry } = await admin
      .data<{ transaction: { journalEntry: { id: string } } }>(
        'query ($id: ID!) { transaction(id: $id) { journalEntry { id } } }',
        { id },
      )
      .then(({ transaction }) => transaction)
    expect(await userErrors(admin, 'reverseJournalEntry', { id: journalEntry.id })).toMatchObject([
      { code: 'NOT_REVERSIBLE', field: ['id'] },
    ])
    const reversal = await change(
      admin,
      'reverseTransaction',
      { id, transactionNumber: 'back' },
      'reversal { journalEntry { reversalOf { id } postings(first: 3) { nodes { account { code } amount { amount } } } } }',
    )
    expect(reversal).toEqual({
      journalEntry: {
        reversalOf: { id: journalEntry.id },
        postings: {
          nodes: [
            { account: { code: '6800' }, amount: { amount: '-33.00' } },
            { account: { code: '1200' }, amount: { amount: '33.00' } },
          ],
        },
      },
    })
    const { ['6800']: charges, ...after } = await balances(admin)
    expect([charges, after]).toEqual(['0.00', before])
  })

  test('a tenant without accounts gets those that it needs', async () => {
    const globex = await (await graph.tenant('globex')).as('ADMIN')
    const input = { type: 'EXPENSE', amount: euros('10') }
    const record = (number: number) =>
      change(
        globex,
        'recordTransaction',
        { ...input, transactionNumber: `P-${number}` },
        'transaction { id }',
      )
    await Promise.all(Array.from({ length: 8 }, (_, place) => record(place)))
    expect(await balances(globex)).toEqual({ '1200': '-80.00', '6000': '80.00' })
  })
})

test('statements tell of a day and of a span, sections add up, and another tenant’s books are not in them', async () => {
  const tenant = await graph.tenant('statements')
  const client = await tenant.as('ADMIN')
  await change(client, 'importChartOfAccounts', {}, 'ledgerAccounts { id }')
  const { ledgerAccounts } = await client.data<{ ledgerAccounts: { nodes: { id: string; code: string }[] } }>(
    '{ ledgerAccounts(first: 100) { nodes { id code } } }',
  )
  const id = (code: string) => ledgerAccounts.nodes.find((one) => one.code === code)!.id
  const move = (bookedOn: string, from: string, to: string, amount: string) =>
    post(
      {
        bookedOn,
        postings: [
          { ledgerAccountId: id(to), debit: euros(amount) },
          { ledgerAccountId: id(from), credit: euros(amount) },
        ],
      },
      client,
    )
  await move('2025-12-31', '3000', '1200', '10000')
  await move('2026-01-01', '4000', '1400', '1190')
  await move('2026-01-15', '1200', '6200', '700')
  await move('2026-01-31', '1790', '6300', '100')
  await move('2026-02-01', '1400', '1200', '1190')
  const sheet = (asOf: string) =>
    client.data(
      `{ balanceSheet(asOf: "${asOf}", currency: "EUR") { asOf assets { account { code } amount { amount } }
           liabilities { amount { amount } } equity { account { code } amount { amount } }
           totalAssets { amount } totalLiabilities { amount } totalEquity { amount } result { amount } } }`,
    )
  const line = (code: string, amount: string) => ({ account: { code }, amount: { amount } })
  expect(await sheet('2026-01-31')).toEqual({
    balanceSheet: {
      asOf: '2026-01-31',
      assets: [line('1200', '9300.00'), line('1400', '1190.00'), line('1790', '-100.00')],
      liabilities: [],
      equity: [line('3000', '10000.00')],
      totalAssets: { amount: '10390.00' },
      totalLiabilities: { amount: '0.00' },
      totalEquity: { amount: '10000.00' },
      result: { amount: '390.00' },
    },
  })
  const income = (from: string, to: string) =>
    client.query<object>(
      `{ incomeStatement(from: "${from}", to: "${to}", currency: "EUR") { income { account { code } amount { amount } }
           expenses { account { code } amount { amount } } totalIncome { amount } totalExpenses { amount } result { amount } } }`,
    )
  expect((await income('2026-01-01', '2026-01-30')).data).toEqual({
    incomeStatement: {
      income: [line('4000', '1190.00')],
      expenses: [line('6200', '700.00')],
      totalIncome: { amount: '1190.00' },
      totalExpenses: { amount: '700.00' },
      result: { amount: '490.00' },
    },
  })
  expect((await income('2026-02-01', '2026-01-31')).errors).toMatchObject([
    { extensions: { code: 'BAD_USER_INPUT' } },
  ])
  expect(await balances(client, 'EUR', '2025-12-31')).toEqual({ '1200': '10000.00', '3000': '-10000.00' })
  expect(await balances(client, 'USD')).toEqual({})
})
