import fc from 'fast-check'
import {
  allocated,
  paymentNumberOf,
  paymentState,
  refunded,
  reversed,
  unallocatedOf,
  type PaidMoney,
} from '../../subgraphs/tenancy/rules/payment'

const came = (amount: bigint): PaidMoney => ({ amount, allocated: 0n, refunded: 0n, isReversed: false })

test('what is left of a payment settles invoices or is given back, and nothing twice', () => {
  const payment = allocated(came(100n), 60n, 80n)!
  expect(payment).toEqual({ amount: 100n, allocated: 60n, refunded: 0n, isReversed: false })
  expect(allocated(payment, 41n, 80n)).toBeNull()
  expect(allocated(payment, 30n, 29n)).toBeNull()
  expect(allocated(payment, 0n, 80n)).toBeNull()
  expect(refunded(payment, 41n)).toBeNull()
  expect(refunded(payment, -1n)).toBeNull()
  const after = refunded(payment, 40n)!
  expect([unallocatedOf(after), paymentState(after)]).toEqual([0n, 'PARTLY_REFUNDED'])
  expect(reversed(after)).toBeNull()
  expect(paymentState(payment)).toBe('SUCCEEDED')
  expect(paymentState(refunded(came(5n), 5n)!)).toBe('REFUNDED')
  const back = reversed(payment)!
  expect([back.allocated, unallocatedOf(back), paymentState(back)]).toEqual([0n, 0n, 'REVERSED'])
  expect(reversed(back)).toBeNull()
  expect(refunded(back, 1n)).toBeNull()
})

const step = fc.record({
  kind: fc.constantFrom('allocate', 'refund', 'reverse'),
  payment: fc.nat({ max: 3 }),
  invoice: fc.nat({ max: 3 }),
  part: fc.bigInt({ min: -5n, max: 120n }),
})

test('whatever is allocated, refunded and reversed, money is neither made nor lost', () => {
  const amounts = fc.array(fc.bigInt({ min: 1n, max: 100n }), { minLength: 4, maxLength: 4 })
  fc.assert(
    fc.property(amounts, amounts, fc.array(step, { maxLength: 30 }), (paid, billed, steps) => {
      const payments = paid.map(came)
      /** By payment and invoice: what of the one settles the other. */
      const settles = paid.map(() => billed.map(() => 0n))
      const paidOf = (invoice: number) => settles.reduce((sum, of) => sum + of[invoice]!, 0n)
      for (const { kind, payment, invoice, part } of steps) {
        const before = payments[payment]!
        if (kind === 'allocate') {
          const next = allocated(before, part, billed[invoice]! - paidOf(invoice))
          if (next) {
            payments[payment] = next
            settles[payment]![invoice]! += part
          }
        } else if (kind === 'refund') payments[payment] = refunded(before, part) ?? before
        else {
          const next = reversed(before)
          if (next) {
            payments[payment] = next
            settles[payment]!.fill(0n)
          }
        }
        for (const [place, one] of payments.entries()) {
          const sum = settles[place]!.reduce((total, each) => total + each, 0n)
          expect(one.allocated).toBe(sum)
          expect(one.allocated + one.refunded + unallocatedOf(one)).toBe(one.isReversed ? 0n : one.amount)
          expect(unallocatedOf(one) >= 0n).toBe(true)
        }
        for (const [place, total] of billed.entries()) expect(paidOf(place) <= total).toBe(true)
      }
    }),
    { numRuns: 300 },
  )
})

test('numbers are of their own series', () => {
  expect([paymentNumberOf(1), paymentNumberOf(1_234_567)]).toEqual(['PAY-000001', 'PAY-1234567'])
})
