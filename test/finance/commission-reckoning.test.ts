import fc from 'fast-check'
import {
  commissionLines,
  partsOf,
  percentOf,
  replayed,
  ruleFault,
  splitFault,
  totalsOf,
  type AttributedSale,
  type RuleTerms,
} from '../../subgraphs/finance/rules/commission'
import { criteriaFault, meets } from '../../subgraphs/finance/rules/criteria'

/** How sales earn commission, without a database. */
const userId = '00000000-0000-7000-8000-000000000001'
const rule = (values: Partial<RuleTerms & { id: string }>): RuleTerms & { id: string } => ({
  id: 'r1',
  type: 'PERCENTAGE',
  rate: '5.00',
  flatAmount: null,
  currency: 'EUR',
  tiers: [],
  isMarginal: true,
  criteria: 'true',
  userId: null,
  departmentId: null,
  isStackable: false,
  startDate: '2026-01-01',
  endDate: null,
  ...values,
})
const sale = (revenue: string, values: Partial<AttributedSale> = {}): AttributedSale => ({
  sourceType: 'finance.transaction',
  sourceId: `s${revenue}`,
  day: '2026-03-10',
  amount: revenue,
  revenue,
  share: '100',
  shares: ['100'],
  place: 0,
  original: null,
  category: null,
  departmentId: null,
  ...values,
})
const scale = [
  { upTo: '1000000', rate: '5' },
  { upTo: '2000000', rate: '7.5' },
  { upTo: null, rate: '10' },
]
const earned = (sales: AttributedSale[], ...rules: (RuleTerms & { id: string })[]) =>
  totalsOf(commissionLines(sales, rules, userId, 'EUR'))

test('percentages are rounded once for each sale, halves away from nothing, and refunds take back as much', () => {
  expect(percentOf('10', '5')).toBe('1')
  expect(percentOf('-10', '5.00')).toBe('-1')
  expect(percentOf('9', '5')).toBe('0')
  expect(earned([sale('12345'), sale('-12345')], rule({}))).toEqual({ revenue: '0', commission: '0' })
  expect(earned([sale('12345')], rule({}))).toEqual({ revenue: '12345', commission: '617' })
})

test('a marginal scale gives each part its own rate, another one the rate of the step that is reached', () => {
  const tiered = rule({ type: 'TIERED', tiers: scale })
  const sales = [sale('1500000'), sale('1000000')]
  const steps = commissionLines(sales, [tiered], userId, 'EUR').filter(({ kind }) => kind === 'TIER')
  expect(steps.map(({ base, rate, commission }) => [base, rate, commission])).toEqual([
    ['1000000', '5', '50000'],
    ['1000000', '7.5', '75000'],
    ['500000', '10', '50000'],
  ])
  expect(earned(sales, { ...tiered, isMarginal: false })).toEqual({
    revenue: '2500000',
    commission: '250000',
  })
  // The end of a step belongs to the next one; what is taken back beyond nothing is at the first one's rate.
  expect(earned([sale('1000000')], { ...tiered, isMarginal: false }).commission).toBe('75000')
  expect(earned([sale('999999')], { ...tiered, isMarginal: false }).commission).toBe('50000')
  expect(earned([sale('-1000')], tiered).commission).toBe('-50')
})

test('an accelerator multiplies its rate by a scale, and a flat rule pays for each share of a sale', () => {
  const tiers = [
    { upTo: '1000000', rate: '100' },
    { upTo: null, rate: '133.33' },
  ]
  const lines = commissionLines(
    [sale('3000000')],
    [rule({ type: 'ACCELERATOR', rate: '5.25', tiers })],
    userId,
    'EUR',
  )
  expect(lines.slice(1).map(({ base, rate, commission }) => [base, rate, commission])).toEqual([
    ['1000000', '5.250000', '52500'],
    ['2000000', '6.999825', '139997'],
  ])
  const flat = rule({ type: 'FLAT', flatAmount: '2500' })
  const half = { share: '33.33', shares: ['66.67', '33.33'], place: 1, revenue: '100' }
  const back = { ...half, revenue: '-100', original: { day: '2026-03-10', amount: '300' } }
  expect(earned([sale('300', half), sale('-300', back), sale('300')], flat)).toEqual({
    revenue: '300',
    commission: '2500',
  })
  expect(earned([sale('300', half)], flat).commission).toBe('833')
})

test('what takes a sale back meets the rules that the sale met: the same lines, negated (1)', () => {
  const large = rule({ id: 'large', criteria: 'amount >= 1000', endDate: '2026-02-01' })
  const bonus = {
    type: 'FLAT',
    flatAmount: '101',
    isStackable: true,
    criteria: 'day < "2026-02-01"',
  } as const
  const rules = [
    large,
    rule({ id: 'bonus', ...bonus }),
    rule({ id: 'now', startDate: '2026-02-01', rate: '50' }),
  ]
  const part = { share: '50', shares: ['50', '50'], place: 1 }
  const sold = sale('100000', { ...part, day: '2026-01-31', revenue: '50000' })
  const original = { day: sold.day, amount: sold.amount }
  const back = sale('-100000', { ...part, day: '2026-03-01', revenue: '-50000', original })
  const told = (one: AttributedSale) =>
    commissionLines([one], rules, userId, 'EUR').map(({ ruleId, commission }) => [ruleId, commission])
  expect(told(sold)).toEqual([
    ['large', '2500'],
    ['bonus', '50'],
  ])
  expect(told(back)).toEqual([
    ['large', '-2500'],
    ['bonus', '-50'],
  ])
})

test('flat amounts are shared out to the last unit, and a small credit takes none back (12)', () => {
  const flat = rule({ type: 'FLAT', flatAmount: '100' })
  const shares = ['33.34', '33.33', '33.33']
  const parts = (amount: string, original: AttributedSale['original'] = null) =>
    shares.map((share, place) => earned([sale(amount, { share, shares, place, original })], flat).commission)
  expect(parts('300')).toEqual(['34', '33', '33'])
  expect(parts('-300', { day: '2026-03-10', amount: '300' })).toEqual(['-34', '-33', '-33'])
  // One cent among three: whose part of the revenue is nothing gives back what it earned all the same.
  expect(parts('-1', { day: '2026-03-10', amount: '1' })).toEqual(['-34', '-33', '-33'])
  expect(parts('-10')).toEqual(['0', '0', '0'])
  expect(parts('10', { day: '2026-03-10', amount: '-10' })).toEqual(['0', '0', '0'])
})

test('the narrowest rule applies, those that stack come to it, each on its half-open days', () => {
  const all = rule({ id: 'all', rate: '1' })
  const department = rule({ id: 'department', rate: '2', departmentId: 'd1' })
  const user = rule({ id: 'user', rate: '3', userId })
  const bonus = rule({
    id: 'bonus',
    rate: '10',
    isStackable: true,
    startDate: '2026-03-10',
    endDate: '2026-03-11',
  })
  const ruleIds = (one: AttributedSale, ...rules: (RuleTerms & { id: string })[]) =>
    commissionLines([one], rules, userId, 'EUR').map(({ ruleId }) => ruleId)
  expect(ruleIds(sale('100'), all, department)).toEqual(['all'])
  expect(ruleIds(sale('100', { departmentId: 'd1' }), all, department)).toEqual(['department'])
  expect(ruleIds(sale('100', { departmentId: 'd1' }), all, department, user, bonus)).toEqual([
    'user',
    'bonus',
  ])
  expect(ruleIds(sale('100', { day: '2026-03-11' }), all, bonus)).toEqual(['all'])
  expect(ruleIds(sale('100', { day: '2026-03-09' }), all, bonus)).toEqual(['all'])
  // Revenue counts once, however many rules a sale meets, and also when it meets none.
  expect(earned([sale('100')], user, bonus)).toEqual({ revenue: '100', commission: '13' })
  expect(earned([sale('100')])).toEqual({ revenue: '100', commission: '0' })
  expect(ruleIds(sale('100'), rule({ userId: 'another' }), rule({ currency: 'USD' }))).toEqual([null])
})

test('criteria are CEL over named inputs, checked when they are saved, and can neither fail nor last', () => {
  for (const text of [
    'true',
    'amount >= 1000',
    'amount > 1000.0 && category == "Licences"',
    'category in ["A", "B"] || !category.startsWith("C")',
    'day >= "2026-03-01" ? size(category) > 2 : currency == "EUR"',
  ])
    expect([text, criteriaFault(text)]).toEqual([text, null])
  for (const [text, fault] of [
    ['', /1 to 1000 characters/],
    ['amount', /of the type double/],
    ['salary > 1', /Unknown variable: salary/],
    ['amount == "1"', /no CEL expression/],
    ['amount >', /no CEL expression/],
    ['category.matches("(a+)+$")', /may not use matches/],
    ['[1, 2].map(x, x).size() > 1', /may not use|no CEL/],
    ['1 / 0 == 1', /may not use \//],
    ['amount * 2.0 > 1.0', /may not use \*/],
    [Array(120).fill('true').join(' || '), /no CEL expression/],
  ] as const)
    expect([text, criteriaFault(text)]).toEqual([text, expect.stringMatching(fault)])
  const facts = { amount: 1000.1, currency: 'EUR', category: 'Licences', day: '2026-03-10' }
  expect(meets('amount >= 1000.10 && category == "Licences"', facts)).toBe(true)
  expect(meets('amount > 1000.10', facts)).toBe(false)
})

test('rules that cannot be reckoned with are refused on the field at fault', () => {
  const fault = (values: Partial<RuleTerms>) => ruleFault(rule(values))?.field ?? null
  expect(fault({})).toBe(null)
  expect(fault({ endDate: '2026-01-01' })).toBe('endDate')
  expect(fault({ type: 'FLAT' })).toBe('flatAmount')
  expect(fault({ flatAmount: '1' })).toBe('flatAmount')
  expect(fault({ type: 'TIERED' })).toBe('tiers')
  expect(fault({ tiers: scale })).toBe('tiers')
  expect(fault({ type: 'TIERED', currency: null, tiers: scale })).toBe('currency')
  expect(fault({ type: 'TIERED', tiers: scale })).toBe(null)
  expect(fault({ type: 'TIERED', tiers: [{ upTo: '1', rate: '5' }] })).toBe('tiers')
  expect(fault({ type: 'TIERED', tiers: [scale[2]!, scale[2]!] })).toBe('tiers')
  expect(fault({ type: 'TIERED', tiers: [scale[1]!, scale[0]!, scale[2]!] })).toBe('tiers')
  expect(fault({ type: 'TIERED', tiers: [{ upTo: null, rate: '100.5' }] })).toBe('tiers')
  expect(fault({ type: 'ACCELERATOR', tiers: [{ upTo: null, rate: '100.5' }] })).toBe(null)
  expect(splitFault(['33.33', '66.67'])).toBe(null)
  expect(splitFault(['33.33', '66.66'])).toMatch(/100 per cent/)
  expect(splitFault(['0', '100'])).toMatch(/more than 0/)
  expect(splitFault([])).toBe(null)
})

const minor = fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n }).map(String)
const hundredths = fc.integer({ min: 1, max: 10_000 }).map((one) => (one / 100).toFixed(2))

test('property: parts of an amount add up to it, and lines replay to the unit', () => {
  fc.assert(
    fc.property(
      minor,
      fc.array(fc.integer({ min: 1, max: 9_900 }), { minLength: 1, maxLength: 5 }),
      (amount, raw) => {
        const sum = raw.reduce((total, one) => total + one, 0)
        const cut = raw.map((one) => Math.max(1, Math.floor((one * 10_000) / sum)))
        cut[0] = cut[0]! + 10_000 - cut.reduce((total, one) => total + one, 0)
        const parts = partsOf(
          amount,
          cut.map((one) => (one / 100).toFixed(2)),
        )
        return parts.reduce((total, one) => total + BigInt(one), 0n) === BigInt(amount)
      },
    ),
  )
  const someRule = fc.oneof(
    hundredths.map((rate) => rule({ rate })),
    hundredths.map((rate) => rule({ id: 'r2', type: 'ACCELERATOR', rate, tiers: scale, isStackable: true })),
    fc.boolean().map((isMarginal) => rule({ id: 'r3', type: 'TIERED', tiers: scale, isMarginal })),
    fc.constant(rule({ id: 'r4', type: 'FLAT', flatAmount: '999', isStackable: true })),
  )
  fc.assert(
    fc.property(
      fc.array(minor),
      fc.array(someRule, { maxLength: 4 }),
      hundredths,
      (amounts, rules, share) => {
        const sales = amounts.map((amount) => sale(amount, { share }))
        const lines = commissionLines(sales, rules, userId, 'EUR')
        const revenue = amounts.reduce((total, one) => total + BigInt(one), 0n)
        return (
          lines.every((line) => replayed(line) === line.commission) &&
          totalsOf(lines).revenue === String(revenue)
        )
      },
    ),
  )
})
