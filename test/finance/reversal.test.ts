import fc from 'fast-check'
import {
  refilingFault,
  reversalFault,
  reversalOf,
  type Reversible,
} from '../../subgraphs/finance/rules/reversal'

const posted: Reversible = {
  id: '019b76da-a800-7000-8000-000000000001',
  type: 'EXPENSE',
  category: 'Energy',
  departmentId: '019b76da-a800-7000-8000-0000000000d1',
  amount: '12345',
  currency: 'EUR',
  reversalOfId: null,
}

test('a reversal repeats type, category, department and currency, with the opposite amount', () => {
  expect(reversalOf(posted)).toEqual({
    type: 'EXPENSE',
    category: 'Energy',
    departmentId: posted.departmentId,
    amount: '-12345',
    currency: 'EUR',
    reversalOfId: posted.id,
  })
})

test('an amount and its reversal add up to nothing, and nothing is rounded', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n - 1n), max: 2n ** 63n - 1n }), (amount) => {
      expect(BigInt(reversalOf({ ...posted, amount: String(amount) }).amount) + amount).toBe(0n)
    }),
  )
})

test('a transaction is reversed once, a reversal never', () => {
  expect(reversalFault(posted, false)).toBeNull()
  expect(reversalFault(posted, true)).toMatch(/already/)
  expect(reversalFault({ ...posted, reversalOfId: posted.id }, false)).toMatch(/record a new transaction/)
})

test('a reversal and what it reverses stay as they are filed', () => {
  expect(refilingFault(posted, false)).toBeNull()
  expect(refilingFault(posted, true)).toMatch(/stay/)
  expect(refilingFault({ ...posted, reversalOfId: posted.id }, false)).toMatch(/stay/)
})

const booking = fc.record({
  amount: fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }).filter((amount) => amount !== 0n),
  department: fc.constantFrom('a', 'b'),
  currency: fc.constantFrom('EUR', 'JPY'),
  isReversed: fc.boolean(),
})

test('by department and currency, all postings add up to those that stand', () => {
  fc.assert(
    fc.property(fc.array(booking), (bookings) => {
      const sums = (rows: { departmentId: string | null; currency: string; amount: string }[]) => {
        const totals: Record<string, bigint> = {}
        for (const { departmentId, currency, amount } of rows)
          totals[`${departmentId} ${currency}`] =
            (totals[`${departmentId} ${currency}`] ?? 0n) + BigInt(amount)
        return Object.fromEntries(Object.entries(totals).filter(([, total]) => total !== 0n))
      }
      const postings = bookings.map(({ amount, department, currency, isReversed }) => {
        const original = { ...posted, amount: String(amount), departmentId: department, currency }
        return { original, reversal: isReversed ? [reversalOf(original)] : [] }
      })
      const all = postings.flatMap(({ original, reversal }) => [original, ...reversal])
      const standing = postings
        .filter(({ reversal }) => reversal.length === 0)
        .map(({ original }) => original)
      expect(sums(all)).toEqual(sums(standing))
    }),
  )
})
