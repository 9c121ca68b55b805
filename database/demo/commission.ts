import {
  adjustmentLines,
  commissionLines,
  partsOf,
  totalsOf,
  type AttributedSale,
  type CommissionLine,
  type RuleTerms,
} from '../../subgraphs/finance/rules/commission'
import { digestOf } from '../../subgraphs/finance/digest'
import { demoUserIds, type DemoUserName } from './ids'
import { seededId, seededRandom } from './random'
import type { DemoRow } from './rows'
import { amount, day, dayOf, instant, type DemoSource, type DemoTable } from './table'

/** Months before the present one, which are reckoned with it. */
const months = 3

const monthsBefore = (today: number, count: number): number => {
  const now = new Date(today)
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - count, 1)
}

interface DemoRule extends RuleTerms {
  id: string
  name: string
  revision: number
  revisesId: string | null
  isDraft: boolean
}

/**
 * A base rate that was raised once, a scale for one seller's sales in the second currency, a bonus for each contract of the first
 * kind, and an accelerator that waits for its approval.
 */
function rulesOf({ slug, profile, today }: DemoSource): DemoRule[] {
  const random = seededRandom(`${slug} finance.commission_rules`)
  const [first, second] = profile.currencies as readonly [
    (typeof profile.currencies)[number],
    (typeof profile.currencies)[number],
  ]
  const raised = dayOf(monthsBefore(today, months + 2))
  const begun = dayOf(monthsBefore(today, 18))
  const id = () => seededId(random, monthsBefore(today, 18))
  const common = {
    ...{ revision: 1, revisesId: null, isDraft: false, flatAmount: null, tiers: [], isMarginal: true },
    ...{ criteria: 'true', currency: null, userId: null, departmentId: null, isStackable: false },
    ...{ startDate: begun, endDate: null, rate: '0.00' },
  }
  const base = {
    ...common,
    id: id(),
    name: 'Base commission',
    type: 'PERCENTAGE',
    rate: '2.00',
    endDate: raised,
  } as const
  const step = (units: number) => amount(second, units)
  return [
    base,
    { ...base, id: id(), rate: '2.50', revision: 2, revisesId: base.id, startDate: raised, endDate: null },
    {
      ...{ ...common, id: id(), name: 'Scale for export', type: 'TIERED' as const, currency: second.code },
      userId: demoUserIds[slug].analyst,
      tiers: [
        { upTo: step(20_000), rate: '3' },
        { upTo: step(100_000), rate: '4.5' },
        { upTo: null, rate: '6' },
      ],
    },
    {
      ...{
        ...common,
        id: id(),
        name: `Bonus: ${profile.income[0]}`,
        type: 'FLAT' as const,
        isStackable: true,
      },
      ...{ currency: first.code, flatAmount: amount(first, 50) },
      criteria: `category == "${profile.income[0]}" && amount > 0.0`,
    },
    {
      ...{ ...common, id: id(), name: 'Year-end accelerator', type: 'ACCELERATOR' as const, rate: '2.50' },
      ...{ currency: first.code, isDraft: true, isStackable: true, startDate: dayOf(monthsBefore(today, 0)) },
      endDate: dayOf(monthsBefore(today, -2)),
      departmentId: `019b76da-a800-7000-8000-0000000000${slug === 'acme' ? 'c' : 'd'}0`,
      tiers: [
        { upTo: amount(first, 250_000), rate: '100' },
        { upTo: null, rate: '150' },
      ],
    },
  ]
}

interface Share {
  seller: DemoUserName
  share: string
}

/** Shares of the sales in turn: every third one is of two sellers. */
const splits: readonly (readonly Share[])[] = [
  [{ seller: 'analyst', share: '100.00' }],
  [{ seller: 'viewer', share: '100.00' }],
  [
    { seller: 'analyst', share: '60.00' },
    { seller: 'viewer', share: '40.00' },
  ],
]

interface Sold extends AttributedSale {
  seller: DemoUserName
  currency: string
  at: number
}

/** The sales of the last months in the first two currencies, the first one first. */
function salesOf({ profile, today }: DemoSource, transactions: readonly DemoRow[]): Sold[] {
  const currencies = profile.currencies.slice(0, 2).map(({ code }) => code)
  return transactions
    .filter(
      (row) =>
        row['type'] === 'INCOME' &&
        row['reversal_of_id'] === null &&
        row['is_fraudulent'] === false &&
        currencies.includes(String(row['currency'])) &&
        Date.parse(String(row['occurred_at'])) >= monthsBefore(today, months),
    )
    .sort((a, b) => (String(a['occurred_at']) < String(b['occurred_at']) ? -1 : 1))
    .flatMap((row, place) => {
      const shares = splits[place % splits.length]!
      const parts = partsOf(
        String(row['amount']),
        shares.map(({ share }) => share),
      )
      return shares.map(({ seller, share }, part) => ({
        seller,
        share,
        shares: shares.map((one) => one.share),
        place: part,
        original: null,
        currency: String(row['currency']),
        at: Date.parse(String(row['occurred_at'])),
        sourceType: 'finance.transaction',
        sourceId: String(row['id']),
        day: String(row['occurred_at']).slice(0, 10),
        amount: String(row['amount']),
        revenue: parts[part]!,
        category: row['category'] as string | null,
        departmentId: row['department_id'] as string | null,
      }))
    })
}

interface Reckoned {
  id: string
  seller: DemoUserName
  currency: string
  /** Months before the present one. */
  ago: number
  lines: CommissionLine[]
  transactionId: string
  /** Part of the number of the payment: no id of a row, or whoever uses the number of another tenant would be shown one. */
  payout: string
}

/**
 * The performances of two sellers: the third month back is paid, and had overlooked a sale, which the one after it makes good.
 */
function performancesOf(source: DemoSource, transactions: readonly DemoRow[]): Reckoned[] {
  const { slug, today } = source
  const random = seededRandom(`${slug} finance.sales_performances`)
  const rules = rulesOf(source).filter(({ isDraft }) => !isDraft)
  const sales = salesOf(source, transactions)
  const made: Reckoned[] = []
  for (let ago = months; ago >= 0; ago--)
    for (const seller of ['analyst', 'viewer'] as const)
      for (const { code: currency } of source.profile.currencies.slice(0, 2)) {
        const [from, until] = [monthsBefore(today, ago), monthsBefore(today, ago - 1)]
        const own = sales.filter((one) => one.seller === seller && one.currency === currency)
        const lines = (of: readonly Sold[]) => commissionLines(of, rules, demoUserIds[slug][seller], currency)
        const ofMonth = own.filter(({ at }) => at >= from && at < until)
        const before = made.find(
          (one) => one.seller === seller && one.currency === currency && one.ago === months,
        )
        const ofFirst = own.filter(({ at }) => at < monthsBefore(today, months - 1))
        const adjusted =
          before && ago === months - 1
            ? adjustmentLines(before.id, { before: totalsOf(before.lines), after: totalsOf(lines(ofFirst)) })
            : []
        const told = ago === months ? ofMonth.slice(1) : ofMonth
        if (told.length + adjusted.length === 0) continue
        const id = seededId(random, until - day)
        const transactionId = seededId(random, until + 9 * day)
        const payout = seededId(random, until + 9 * day)
        made.push({ id, seller, currency, ago, lines: [...lines(told), ...adjusted], transactionId, payout })
      }
  return made
}

/** The user who leads a seller's team. */
const leaderOf = ({ slug }: DemoSource, seller: DemoUserName): string =>
  demoUserIds[slug][seller === 'analyst' ? 'hr' : 'admin']

/** Months that are paid, when there was something to pay. */
const isPaid = ({ ago, lines }: Reckoned) => ago >= 2 && totalsOf(lines).commission !== '0'

/** The expenses by which commission was paid, on the tenth of the month after. */
export function commissionPayments(source: DemoSource, transactions: readonly DemoRow[]): DemoRow[] {
  return performancesOf(source, transactions)
    .filter(isPaid)
    .map(({ currency, ago, lines, transactionId, payout }) => {
      const paid = monthsBefore(source.today, ago - 1) + 9.5 * day
      return {
        id: transactionId,
        transaction_number: `PAYOUT-${payout}`,
        type: 'EXPENSE',
        category: 'Commission',
        department_id: null,
        amount: totalsOf(lines).commission,
        currency,
        description: null,
        occurred_at: instant(paid),
        is_fraudulent: false,
        fraud_score: null,
        reversal_of_id: null,
        created_at: instant(paid),
      }
    })
}

function stateOf(
  { ago, seller, transactionId, ...reckoned }: Reckoned,
  { slug, today }: DemoSource,
): DemoRow {
  const { admin } = demoUserIds[slug]
  const after = monthsBefore(today, ago - 1)
  const disputed = {
    dispute_reason: 'The fair in Hannover was mine alone',
    disputed_at: instant(after + day / 2),
  }
  const none = {
    ...{ submitted_by_id: null, submitted_at: null, approved_by_id: null, approved_at: null },
    ...{ dispute_reason: null, disputed_at: null, transaction_id: null, paid_at: null },
  }
  if (ago === 0) return { ...none, status: 'DRAFT' }
  // What would lie ahead of today is not told.
  if (ago === 1)
    return seller === 'viewer' && today > after + day
      ? { ...none, ...disputed, status: 'DISPUTED' }
      : { ...none, status: 'DRAFT' }
  const approved = {
    ...none,
    ...(seller === 'viewer' && disputed),
    submitted_by_id: demoUserIds[slug][seller],
    submitted_at: instant(after + day),
    approved_by_id: admin,
    approved_at: instant(after + 3 * day),
  }
  return {
    ...approved,
    status: 'PAID',
    paid_at: instant(after + 9.5 * day),
    transaction_id: isPaid({ ago, seller, transactionId, ...reckoned }) ? transactionId : null,
  }
}

const commissionRules: DemoTable = {
  name: 'finance.commission_rules',
  noun: 'commission rules',
  rows: (source) => {
    const { admin, hr } = demoUserIds[source.slug]
    return rulesOf(source).map((rule) => {
      const made = Date.parse(`${rule.startDate}T09:00:00.000Z`) - 10 * day
      return {
        id: rule.id,
        name: rule.name,
        revision: rule.revision,
        revises_id: rule.revisesId,
        type: rule.type,
        rate: rule.rate,
        flat_amount: rule.flatAmount,
        currency: rule.currency,
        tiers: rule.tiers,
        is_marginal: rule.isMarginal,
        criteria: rule.criteria,
        user_id: rule.userId,
        department_id: rule.departmentId,
        is_stackable: rule.isStackable,
        start_date: rule.startDate,
        end_date: rule.endDate,
        status: rule.isDraft ? 'DRAFT' : 'APPROVED',
        created_by_id: hr,
        author_ids: [hr],
        updated_by_id: rule.isDraft ? hr : admin,
        approved_by_id: rule.isDraft ? null : admin,
        approved_at: rule.isDraft ? null : instant(made + 2 * day),
        created_at: instant(made),
      }
    })
  },
}

function performanceTables(transactions: DemoTable): DemoTable[] {
  const rowsOf = (source: DemoSource) =>
    transactions.rows({ ...source, random: seededRandom(`${source.slug} ${transactions.name}`) })
  return [
    {
      name: 'finance.sales_attributions',
      noun: 'attributions of sales',
      rows: (source) => {
        const random = seededRandom(`${source.slug} finance.sales_attributions`)
        return salesOf(source, rowsOf(source)).map(({ sourceId, seller, share, at }) => ({
          id: seededId(random, at),
          transaction_id: sourceId,
          user_id: demoUserIds[source.slug][seller],
          share,
          created_by_id: demoUserIds[source.slug].admin,
          created_at: instant(at),
        }))
      },
    },
    {
      name: 'finance.sales_performances',
      noun: 'sales performances',
      rows: (source) =>
        performancesOf(source, rowsOf(source)).map((one) => ({
          id: one.id,
          user_id: demoUserIds[source.slug][one.seller],
          manager_id: leaderOf(source, one.seller),
          period_start: dayOf(monthsBefore(source.today, one.ago)),
          currency: one.currency,
          ...totalsOf(one.lines),
          lines_checksum: digestOf(one.lines),
          ...stateOf(one, source),
          created_at: instant(Math.min(source.today, monthsBefore(source.today, one.ago - 1)) - day),
        })),
    },
    {
      name: 'finance.sales_performance_lines',
      noun: 'lines of sales performances',
      rows: (source) => {
        const random = seededRandom(`${source.slug} finance.sales_performance_lines`)
        return performancesOf(source, rowsOf(source)).flatMap(({ id, seller, currency, ago, lines }) => {
          const written = Math.min(source.today, monthsBefore(source.today, ago - 1)) - day
          return lines.map((line, place) => ({
            id: seededId(random, written),
            performance_id: id,
            user_id: demoUserIds[source.slug][seller],
            manager_id: leaderOf(source, seller),
            position: place + 1,
            kind: line.kind,
            rule_id: line.ruleId,
            source_type: line.sourceType,
            source_id: line.sourceId,
            day: line.day,
            currency,
            revenue: line.revenue,
            base: line.base,
            rate: line.rate,
            flat_amount: line.flatAmount,
            share: line.share,
            commission: line.commission,
            adjusts_id: line.adjustsId,
            created_at: instant(written),
          }))
        })
      },
    },
  ]
}

/** Commission of a demo tenant: the rules, whose sales are whose, and what two sellers sold in the last months. */
export function commission(transactions: DemoTable): DemoTable[] {
  return [commissionRules, ...performanceTables(transactions)]
}
