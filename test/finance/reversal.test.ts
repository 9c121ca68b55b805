import fc from 'fast-check'
import { reversalFault, reversalOf, type Reversible } from '../../subgraphs/finance/rules/reversal'

const posted: Reversible = {
  id: '019b76da-a800-7000-8000-000000000001',
  type: 'EXPENSE',
  category: 'Energy',
  amount: '12345',
  currency: 'EUR',
  reversalOfId: null,
}

test('a reversal repeats type, category and currency, with the opposite amount', () => {
  expect(reversalOf(posted)).toEqual({
    type: 'EXPENSE',
    category: 'Energy',
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
