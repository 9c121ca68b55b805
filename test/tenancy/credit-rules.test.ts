import fc from 'fast-check'
import {
  allThatIsLeft,
  creditFrom,
  creditNoteNumberOf,
  creditOf,
  type Credit,
  type CreditableInvoice,
  type CreditFault,
  type CreditRequest,
} from '../../subgraphs/tenancy/rules/credit'
import { amountOf, totalsOf } from '../../subgraphs/tenancy/rules/invoice'
import { taxKey } from '../../subgraphs/tenancy/rules/tax'

interface Line {
  quantity: string
  unitPrice: string
  taxRate: string
}

/** An invoice with what notes took of it so far. */
function invoiceOf(lines: readonly Line[], notes: readonly Credit[] = []): CreditableInvoice {
  const priced = lines.map((line, place) => {
    const id = `line-${place}`
    const credited = notes
      .flatMap((note) => note.lines.filter(({ invoiceLineId }) => invoiceLineId === id))
      .reduce((sum, { amount }) => sum + BigInt(amount), 0n)
    return { ...line, id, description: id, amount: amountOf(line), credited: String(credited) }
  })
  return {
    lines: priced,
    total: totalsOf(priced).total,
    creditedParts: notes.flatMap(({ parts }) => parts),
  }
}

const isFault = (credit: Credit | CreditFault): credit is CreditFault => 'message' in credit
const line = (unitPrice: string, taxRate = '19', quantity = '1'): Line => ({ quantity, unitPrice, taxRate })
const of = (place: number, rest: Partial<CreditRequest> = {}) => ({ invoiceLineId: `line-${place}`, ...rest })

test('a note has prices and rates of the invoice, and tax rounded once for each rate', () => {
  const invoice = invoiceOf([line('1999', '19', '3'), line('1050', '7')])
  expect(creditOf(invoice, [of(0, { quantity: '2' }), of(1, { amount: '50' })])).toEqual({
    lines: [
      { invoiceLineId: 'line-0', description: 'line-0', quantity: '2', amount: '3998', taxRate: '19' },
      { invoiceLineId: 'line-1', description: 'line-1', quantity: null, amount: '50', taxRate: '7' },
    ],
    parts: [
      { rate: '7', net: '50', tax: '4' },
      { rate: '19', net: '3998', tax: '760' },
    ],
    ...{ subtotal: '4048', tax: '764', total: '4812' },
  })
})

test('two halves of a line never give back more tax than was paid', () => {
  // 19 % of 50 is 9.5, and of 100 it is 19: rounded by itself each half would be 10.
  const lines = [line('100', '19')]
  const first = creditOf(invoiceOf(lines), [of(0, { amount: '50' })]) as Credit
  expect(first.tax).toBe('10')
  const second = creditOf(invoiceOf(lines, [first]), [of(0)]) as Credit
  expect([second.tax, second.total]).toEqual(['9', '59'])
})

test.each<[string, Line[], CreditRequest[], Partial<CreditFault>]>([
  ['a line that is not there', [line('100')], [of(7)], { place: 0, field: 'invoiceLineId', isUnknown: true }],
  ['a line twice', [line('100')], [of(0, { amount: '1' }), of(0)], { place: 1, field: 'invoiceLineId' }],
  ['more than a line', [line('100')], [of(0, { amount: '101' })], { place: 0, field: 'amount' }],
  ['less than nothing', [line('100')], [of(0, { amount: '-1' })], { place: 0, field: 'amount' }],
  ['nothing of a line', [line('100')], [of(0, { amount: '0' })], { place: 0, field: 'amount' }],
  ['more of it than billed', [line('100')], [of(0, { quantity: '1.5' })], { place: 0, field: 'quantity' }],
  ['none of it', [line('100')], [of(0, { quantity: '0' })], { place: 0, field: 'quantity' }],
  ['five decimals of it', [line('100')], [of(0, { quantity: '0.00001' })], { place: 0, field: 'quantity' }],
  [
    'a quantity and an amount',
    [line('100')],
    [of(0, { quantity: '1', amount: '1' })],
    { place: 0, field: 'amount' },
  ],
  ['a line without its discount', [line('100'), line('-30')], [of(0)], { place: null, field: null }],
  ['a discount alone', [line('100'), line('-30')], [of(1)], { place: null, field: null }],
  ['a rate without the discount at another', [line('100', '19'), line('-30', '7')], [of(0)], { place: null }],
  ['no line', [line('0')], [], { place: null, message: 'credit nothing' }],
])('%s is not credited', (_, lines, requests, fault) => {
  expect(creditOf(invoiceOf(lines), requests)).toMatchObject(fault)
})

test('a line is credited with its discount, and then no more', () => {
  const lines = [line('100'), line('-30')]
  const all = creditOf(invoiceOf(lines), [of(0), of(1)]) as Credit
  expect([all.subtotal, all.tax, all.total]).toEqual(['70', '13', '83'])
  expect(creditOf(invoiceOf(lines, [all]), [of(0)])).toEqual({
    place: 0,
    field: 'invoiceLineId',
    message: 'is credited already',
  })
  expect(allThatIsLeft(invoiceOf(lines, [all]))).toEqual([])
})

const lines = fc.array(
  fc.record({
    quantity: fc.integer({ min: 1, max: 50_000 }).map((tenths) => String(tenths / 10)),
    unitPrice: fc.integer({ min: -2_000, max: 20_000 }).map((thousandths) => String(thousandths / 100)),
    taxRate: fc.constantFrom('0', '7', '7.25', '19'),
  }),
  { minLength: 1, maxLength: 6 },
)
const attempts = fc.array(
  fc.record({
    shares: fc.array(fc.option(fc.integer({ min: 1, max: 12 })), { minLength: 6, maxLength: 6 }),
    /** Which of the notes before becomes void first. */
    voided: fc.option(fc.nat({ max: 5 }), { freq: 4 }),
  }),
  { maxLength: 12 },
)

const sum = (amounts: readonly string[]) => amounts.reduce((total, one) => total + BigInt(one), 0n)
const isBetween = (value: bigint, whole: bigint) =>
  whole < 0n ? value <= 0n && value >= whole : value >= 0n && value <= whole

test('whatever is credited and made void, no line, no rate and no invoice gives back more than was billed; all of it is exact', () => {
  fc.assert(
    fc.property(lines, attempts, (billed, tries) => {
      const bare = invoiceOf(billed)
      const totals = totalsOf(bare.lines)
      fc.pre(BigInt(totals.total) > 0n)
      let notes: Credit[] = []
      let isVoided = false
      for (const { shares, voided } of tries) {
        if (voided !== null && notes[voided]) {
          notes = notes.filter((_, place) => place !== voided)
          isVoided = true
        }
        const invoice = invoiceOf(billed, notes)
        const requests = invoice.lines.flatMap(({ id, amount, credited }, place) => {
          const share = shares[place]
          // Sometimes more than there is, which is refused.
          const part = share && ((BigInt(amount) - BigInt(credited)) * BigInt(share)) / 10n
          return part ? [{ invoiceLineId: id, amount: String(part) }] : []
        })
        const note = creditOf(invoice, requests)
        if (!isFault(note)) notes.push(note)
        const after = invoiceOf(billed, notes)
        for (const { amount, credited } of after.lines)
          expect(isBetween(BigInt(credited), BigInt(amount))).toBe(true)
        for (const rate of new Set(billed.map(({ taxRate }) => taxRate))) {
          const ofRate = bare.lines.filter((one) => one.taxRate === rate)
          const whole = totalsOf(ofRate)
          const parts = after.creditedParts.filter((part) => part.rate === rate)
          expect(isBetween(sum(parts.map(({ net }) => net)), BigInt(whole.subtotal))).toBe(true)
          expect(isBetween(sum(parts.map(({ tax }) => tax)), BigInt(whole.tax))).toBe(true)
        }
        expect(sum(notes.map(({ total }) => total)) <= BigInt(totals.total)).toBe(true)
      }
      const last = creditOf(invoiceOf(billed, notes), allThatIsLeft(invoiceOf(billed, notes)))
      if (isFault(last) || isVoided) return
      const credited = sum([...notes, last].map(({ total }) => total))
      expect(credited).toBe(BigInt(totals.total))
    }),
    { numRuns: 1_000 },
  )
})

test('numbers are of their own series', () => {
  expect([creditNoteNumberOf(1), creditNoteNumberOf(1_234_567)]).toEqual(['CN-000001', 'CN-1234567'])
})

test('5: what is given back by tax is never refused, and is all that the invoice has left of it', () => {
  const lines = fc.array(
    fc.record({
      quantity: fc.constant('1'),
      unitPrice: fc.integer({ min: -5000, max: 10_000 }).map(String),
      taxRate: fc.constantFrom('0', '7', '19'),
    }),
    { minLength: 1, maxLength: 5 },
  )
  const wants = fc.array(fc.bigInt({ min: 1n, max: 20_000n }), { minLength: 3, maxLength: 3 })
  fc.assert(
    fc.property(lines, wants, wants, (billed, ...asked) => {
      if (BigInt(invoiceOf(billed).total) <= 0n) return
      const credits: Credit[] = []
      for (const amounts of asked) {
        const invoice = invoiceOf(billed, credits)
        const wanted = new Map(
          ['0', '7', '19'].map((taxRate, place) => [taxKey({ taxRate }), amounts[place]!]),
        )
        const sum = () => [...wanted.values()].reduce((total, amount) => total + amount, 0n)
        const before = sum()
        const requests = creditFrom(invoice, wanted)
        if (requests.length === 0) continue
        const credit = creditOf(invoice, requests)
        if (isFault(credit)) throw new Error(credit.message)
        expect(BigInt(credit.subtotal)).toBe(before - sum())
        credits.push(credit)
      }
      const credited = credits.reduce((total, credit) => total + BigInt(credit.total), 0n)
      expect(credited <= BigInt(invoiceOf(billed).total)).toBe(true)
    }),
  )
  // A discount at another rate: 119.00 of the line, but only 86.90 of the invoice, which no whole net is.
  const invoice = invoiceOf([line('10000', '19'), line('-3000', '7')])
  const wanted = new Map([[taxKey({ taxRate: '19' }), 10_000n]])
  const requests = creditFrom(invoice, wanted)
  expect(creditOf(invoice, requests)).toMatchObject({ total: '8689' })
  expect([requests, [...wanted.values()]]).toEqual([[of(0, { amount: '7302' })], [2698n]])
})
