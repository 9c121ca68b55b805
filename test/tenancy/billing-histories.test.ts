import fc from 'fast-check'
import { dayAfter, periodOn, periodStart } from '../../subgraphs/tenancy/rules/period'
import { spanOf, unusedPart } from '../../subgraphs/tenancy/rules/proration'
import { billingOf, startBilling } from './billed'

let started: Awaited<ReturnType<typeof startBilling>>

beforeAll(async () => {
  started = await startBilling()
  started.graph.clock.stop()
})
afterAll(() => started?.graph.close())

const { subscriber, bill, travel, invoices, preview, act, nowOf, todayOf } = billingOf(() => started)

const prices = {
  STARTER: [4900n, 900n],
  PROFESSIONAL: [19_000n, 1500n],
  ENTERPRISE: [190_000n, 1200n],
} as const
type Plan = keyof typeof prices
const priceOf = (plan: Plan, seats: number) => prices[plan][0] + prices[plan][1] * BigInt(seats)
const cents = ({ amount }: { amount: string }) => BigInt(amount.replace('.', ''))
const sum = (amounts: readonly bigint[]) => amounts.reduce((total, one) => total + one, 0n)

const steps = fc.array(
  fc.record({
    days: fc.integer({ min: 0, max: 25 }),
    plan: fc.constantFrom<Plan>('STARTER', 'PROFESSIONAL', 'ENTERPRISE'),
    seats: fc.integer({ min: 1, max: 9 }),
  }),
  { minLength: 2, maxLength: 4 },
)

test('whatever is changed and when: each invoice is as its preview said, and what was billed less what was given back is the price of what was had', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const one = await subscriber({ seats: 1 })
      let count = 0
      /** Bills on a day; an invoice of that day says what was shown. */
      const billOn = async (day: string) => {
        await travel(one, day)
        const shown = await preview(one)
        expect(await bill(one)).toBeNull()
        const all = await invoices(one)
        if (all.length === count + 1)
          expect({ lines: all.at(-1)!.lines.nodes, total: all.at(-1)!.total }).toEqual({
            lines: shown.lines,
            total: shown.total,
          })
        count = all.length
      }
      await billOn(one.startDate)
      const had: { at: number; price: bigint }[] = [{ at: 0, price: priceOf('STARTER', 1) }]
      for (const { days, plan, seats } of history) {
        const day = dayAfter(todayOf(one), days)
        let next = periodOn(one.startDate, 'MONTHLY', todayOf(one)).end
        for (; next <= day; next = periodOn(one.startDate, 'MONTHLY', next).end) await billOn(next)
        await travel(one, day)
        await act(one, 'changeSubscriptionPlan', { plan, seats })
        had.push({ at: nowOf(one).getTime(), price: priceOf(plan, seats) })
      }
      await act(one, 'cancelSubscription', { at: 'PERIOD_END' })
      const end = periodOn(one.startDate, 'MONTHLY', todayOf(one)).end
      await billOn(end)
      let price = 0n
      for (let month = 0; periodStart(one.startDate, 'MONTHLY', month) < end; month++) {
        const span = spanOf(periodOn(one.startDate, 'MONTHLY', periodStart(one.startDate, 'MONTHLY', month)))
        for (const [place, part] of had.entries()) {
          const until = had[place + 1]?.at ?? span.end
          price += unusedPart(part.price, span, part.at) - unusedPart(part.price, span, until)
        }
      }
      const { creditNotes } = await one.admin.data<{
        creditNotes: { nodes: { total: { amount: string } }[] }
      }>('{ creditNotes { nodes { total { amount } } } }')
      const billed = sum((await invoices(one)).map(({ total }) => cents(total)))
      expect(billed - sum(creditNotes.nodes.map(({ total }) => cents(total)))).toBe(price)
    }),
    { numRuns: 5, seed: 7, endOnFailure: true },
  )
})
