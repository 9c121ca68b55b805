import fc from 'fast-check'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, userErrors } from '../support/lists'

/** What holds of the books after any history, and while many write at once. */
let graph: TestGraph
beforeAll(async () => (graph = await startGraph()))
afterAll(() => graph?.close())

const codes = ['1200', '1400', '2000', '3000', '4000', '6000'] as const
const currencies = ['EUR', 'JPY'] as const

async function chart(tenant: TestTenant): Promise<{ client: TestClient; ids: Map<string, string> }> {
  const client = await tenant.as('ADMIN')
  await change(client, 'importChartOfAccounts', {}, 'ledgerAccounts { id }')
  const { ledgerAccounts } = await client.data<{ ledgerAccounts: { nodes: { id: string; code: string }[] } }>(
    '{ ledgerAccounts(first: 100) { nodes { id code } } }',
  )
  return { client, ids: new Map(ledgerAccounts.nodes.map(({ id, code }) => [code, id])) }
}

/** The trial balance by account code, and whether debits are credits. */
async function trialBalance(client: TestClient, currency: string) {
  const today = graph.clock.now().toISOString().slice(0, 10)
  const answer = await client.data<{
    trialBalance: {
      debits: { amount: string }
      credits: { amount: string }
      lines: { account: { code: string }; balance: { amount: string } }[]
    }
  }>(
    `{ trialBalance(asOf: "${today}", currency: "${currency}") { debits { amount } credits { amount }
         lines { account { code } balance { amount } } } }`,
  )
  const { debits, credits, lines } = answer.trialBalance
  return {
    isEqual: debits.amount === credits.amount,
    balances: Object.fromEntries(
      lines.map(({ account, balance }) => [account.code, Number(balance.amount)] as const),
    ),
  }
}

type Step =
  | { do: 'post'; debit: number; credit: number; amount: number; currency: 'EUR' | 'JPY'; cheat: boolean }
  | { do: 'record'; type: string; amount: number; currency: 'EUR' | 'JPY' }
  | { do: 'reverse'; which: number }

const amount = fc.integer({ min: 1, max: 1_000_000 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('post' as const),
    debit: fc.nat(codes.length - 1),
    credit: fc.nat(codes.length - 1),
    amount,
    currency: fc.constantFrom(...currencies),
    cheat: fc.boolean(),
  }),
  fc.record({
    do: fc.constant('record' as const),
    type: fc.constantFrom('INCOME', 'EXPENSE', 'TRANSFER', 'ADJUSTMENT'),
    amount,
    currency: fc.constantFrom(...currencies),
  }),
  fc.record({ do: fc.constant('reverse' as const), which: fc.nat(20) }),
)

const sides: Readonly<Record<string, readonly [string, string]>> = {
  INCOME: ['1200', '4000'],
  EXPENSE: ['6000', '1200'],
  TRANSFER: ['1300', '1200'],
  ADJUSTMENT: ['1900', '6990'],
}

let histories = 0

test('after any history debits are credits in each currency, and balances are what a fold over it gives', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const { client, ids } = await chart(await graph.tenant(`history-${++histories}`))
      const expected = new Map<string, Map<string, number>>(currencies.map((one) => [one, new Map()]))
      const made: { id: string; kind: 'entry' | 'transaction'; undo: () => void; isReversed: boolean }[] = []
      const book = (currency: string, debit: string, credit: string, value: number) => {
        const sums = expected.get(currency)!
        sums.set(debit, (sums.get(debit) ?? 0) + value)
        sums.set(credit, (sums.get(credit) ?? 0) - value)
      }
      let number = 0
      for (const one of steps) {
        if (one.do === 'reverse') {
          const target = made[one.which % Math.max(made.length, 1)]
          if (!target) continue
          const [mutation, more] =
            target.kind === 'entry'
              ? ['reverseJournalEntry', {}]
              : ['reverseTransaction', { transactionNumber: `R-${++number}` }]
          const errors = await userErrors(client, mutation!, { id: target.id, ...(more as object) })
          expect(errors.map(({ code }) => code)).toEqual(target.isReversed ? ['NOT_REVERSIBLE'] : [])
          if (!target.isReversed) target.undo()
          target.isReversed = true
          continue
        }
        const money = (value: number) => ({ amount: String(value), currency: one.currency })
        const [debit, credit] =
          one.do === 'record' ? sides[one.type]! : [codes[one.debit]!, codes[one.credit]!]
        if (one.do === 'record') {
          const input = { transactionNumber: `T-${++number}`, type: one.type, amount: money(one.amount) }
          const { id } = await change<{ id: string }>(
            client,
            'recordTransaction',
            input,
            'transaction { id }',
          )
          made.push({
            id,
            kind: 'transaction',
            isReversed: false,
            undo: () => book(one.currency, debit, credit, -one.amount),
          })
        } else {
          const postings = [
            { ledgerAccountId: ids.get(debit), debit: money(one.amount) },
            { ledgerAccountId: ids.get(credit), credit: money(one.amount + (one.cheat ? 1 : 0)) },
          ]
          if (one.cheat) {
            const errors = await userErrors(client, 'postJournalEntry', { postings })
            expect(errors.map(({ code }) => code)).toEqual(['NOT_BALANCED'])
            continue
          }
          const { id } = await change<{ id: string }>(
            client,
            'postJournalEntry',
            { postings },
            'journalEntry { id }',
          )
          made.push({
            id,
            kind: 'entry',
            isReversed: false,
            undo: () => book(one.currency, debit, credit, -one.amount),
          })
        }
        book(one.currency, debit, credit, one.amount)
      }
      for (const currency of currencies) {
        const { isEqual, balances } = await trialBalance(client, currency)
        expect(isEqual).toBe(true)
        const known = Object.entries(balances).filter(([, balance]) => balance !== 0)
        const folded = [...expected.get(currency)!].filter(([, balance]) => balance !== 0)
        expect(Object.fromEntries(known)).toEqual(Object.fromEntries(folded))
      }
    }),
    { numRuns: 12 },
  )
})

test('under 100 writers at once nothing is lost, nothing counted twice, and numbers have no gaps', async () => {
  const tenant = await graph.tenant('crowd')
  const { client, ids } = await chart(tenant)
  const euros = (value: number) => ({ amount: String(value), currency: 'EUR' })
  const writers = Array.from({ length: 100 }, (_, place) => {
    if (place % 2 === 0)
      return userErrors(client, 'recordTransaction', {
        transactionNumber: `C-${place}`,
        type: 'EXPENSE',
        amount: euros(place + 1),
      })
    // Accounts in either order, so that two wait for each other if locks were taken as they come.
    const [debit, credit] = place % 4 === 1 ? ['1200', '6000'] : ['6000', '1200']
    return userErrors(client, 'postJournalEntry', {
      postings: [
        { ledgerAccountId: ids.get(debit), debit: euros(place + 1) },
        { ledgerAccountId: ids.get(credit), credit: euros(place + 1) },
      ],
    })
  })
  expect((await Promise.all(writers)).flat()).toEqual([])
  let expenses = 0
  for (let place = 0; place < 100; place++) expenses += place % 4 === 1 ? -(place + 1) : place + 1
  expect(await trialBalance(client, 'EUR')).toEqual({
    isEqual: true,
    balances: { '1200': -expenses, '6000': expenses },
  })
  const { rows } = await graph.owner.query(
    `SELECT count(*)::int AS count, count(DISTINCT entry_number)::int AS numbers, max(right(entry_number, 6))::int AS last
       FROM finance.journal_entries WHERE tenant_id = $1`,
    [tenant.id],
  )
  expect(rows).toEqual([{ count: 100, numbers: 100, last: 100 }])
})
