import { generalChart, sideOf, sidesOfTransaction } from '../../subgraphs/finance/rules/chart-of-accounts'
import { entryNumberOf, valued, type Valued } from '../../subgraphs/finance/rules/entry'
import { invoices } from './billing'
import { demoUserIds } from './ids'
import type { DemoCurrency } from './profiles'
import { seededId, seededRandom } from './random'
import type { DemoRow } from './rows'
import { amount, day, dayOf, instant, type DemoSource, type DemoTable } from './table'

/** Full months before the present one of which the books tell a story. */
const storyMonths = 6

interface Line {
  code: string
  /** In the smallest unit: debits are positive. */
  minor: bigint
  currency: string
  exchangeRate?: string
}

interface Entry {
  at: number
  description: string | null
  lines: readonly (Line & Partial<Valued>)[]
  baseCurrency?: string
  source?: readonly [type: string, id: string]
  transactionId?: string
  /** The description of the entry that it takes back. */
  reverses?: string
  reversalOfTransaction?: string | null
}

const accountOf = (source: Pick<DemoSource, 'slug'>) => {
  const random = seededRandom(`${source.slug} accounts`)
  return new Map<string, string>(
    generalChart.map(({ code }) => [code, seededId(random, Date.UTC(2026, 0, 1))] as const),
  )
}
const codeOf = (purpose: string) =>
  generalChart.find((one) => 'purpose' in one && one.purpose === purpose)!.code

/** Two lines: from an account to an account. */
const move = (from: string, to: string, minor: bigint, currency: string): Line[] => [
  { code: to, minor, currency },
  { code: from, minor: -minor, currency },
]

/** Each transaction with the accounts of its type. */
function ofTransactions(rows: readonly DemoRow[]): Entry[] {
  return rows.map((row) => {
    const { debit, credit } = sidesOfTransaction[row['type'] as keyof typeof sidesOfTransaction]
    return {
      at: Date.parse(String(row['occurred_at'])),
      description: null,
      lines: move(codeOf(credit), codeOf(debit), BigInt(String(row['amount'])), String(row['currency'])),
      transactionId: String(row['id']),
      reversalOfTransaction: row['reversal_of_id'] as string | null,
    }
  })
}

/** Entries of what the platform billed in the months of the story, and of what was paid. */
function ofInvoices(source: DemoSource, since: number): Entry[] {
  return invoices.rows(source).flatMap((row): Entry[] => {
    const issued = Date.parse(String(row['issued_at']))
    if (!row['invoice_number'] || issued < since || row['status'] === 'VOID') return []
    const [number, currency] = [String(row['invoice_number']), String(row['currency'])]
    const [subtotal, tax, total] = [row['subtotal'], row['tax'], row['total']].map((one) =>
      BigInt(String(one)),
    )
    if (!total) return []
    const lines = [
      { code: '6000', minor: subtotal!, currency },
      { code: '1500', minor: tax!, currency },
      { code: '2000', minor: -total, currency },
    ].filter(({ minor }) => minor !== 0n)
    const billed: Entry = {
      at: issued,
      description: `Invoice ${number}`,
      lines,
      source: ['tenancy.invoice-issued', number],
    }
    if (row['status'] !== 'PAID') return [billed]
    const paid: Entry = {
      at: Date.parse(String(row['paid_at'])),
      description: `Payment of invoice ${number}`,
      lines: move('1200', '2000', total, currency),
      source: ['tenancy.invoice-paid', number],
    }
    return [billed, paid]
  })
}

/** Entries of an accountant in a month: rent, sales and purchases with tax, salaries, depreciation, and a mistake. */
function ofMonth({ slug, profile }: DemoSource, start: Date, place: number): Entry[] {
  const [currency] = profile.currencies as readonly [DemoCurrency]
  const units = (count: number) => BigInt(amount(currency, count))
  const own = currency.code
  const at = (date: number) => Date.UTC(start.getUTCFullYear(), start.getUTCMonth(), date, 9)
  const last = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 0)).getUTCDate()
  const month = dayOf(start.getTime()).slice(0, 7)
  const net = 42_000 + 1_700 * place
  const sold = [
    { code: '1400', minor: units(net + net / 10), currency: own },
    { code: '4000', minor: -units(net), currency: own },
    { code: '2200', minor: -units(net / 10), currency: own },
  ]
  const bought = [
    { code: '5000', minor: units(18_500), currency: own },
    { code: '1500', minor: units(1_850), currency: own },
    { code: '2000', minor: -units(20_350), currency: own },
  ]
  const salaries = units(slug === 'acme' ? 61_000 : 48_000)
  const mistake = `Consulting ${month}, booked on rent`
  return [
    { at: at(1), description: `Rent ${month}`, lines: move('1200', '6200', units(6_400), own) },
    { at: at(5), description: `Sales ${month}`, lines: sold },
    { at: at(8), description: `Material ${month}`, lines: bought },
    { at: at(12), description: mistake, lines: move('1200', '6200', units(950), own) },
    {
      at: at(13),
      description: `Taken back: ${mistake}`,
      lines: move('1200', '6200', units(950), own).map((line) => ({ ...line, minor: -line.minor })),
      reverses: mistake,
    },
    { at: at(13), description: `Consulting ${month}`, lines: move('1200', '6000', units(950), own) },
    {
      at: at(20),
      description: `Customers paid ${month}`,
      lines: move('1400', '1200', units(net + net / 10), own),
    },
    { at: at(22), description: `Suppliers paid ${month}`, lines: move('1200', '2000', units(20_350), own) },
    { at: at(last), description: `Salaries ${month}`, lines: move('2100', '6100', salaries, own) },
    { at: at(last), description: `Salaries ${month} paid`, lines: move('1200', '2100', salaries, own) },
    { at: at(last), description: `Depreciation ${month}`, lines: move('1790', '6300', units(2_100), own) },
    ...exported(own, month, at(16)),
  ]
}

/** A sale in pounds, in three parts, converted: each part is rounded, and what is left has its account. */
function exported(baseCurrency: string, month: string, at: number): Entry[] {
  const part = (code: string, minor: bigint) => ({
    code,
    minor,
    amount: String(minor),
    currency: 'GBP',
    exchangeRate: baseCurrency === 'USD' ? '1.2735' : '191.237',
  })
  const lines = [part('1400', 99_99n), part('4000', -33_33n), part('4000', -33_33n), part('4800', -33_33n)]
  const converted = valued(lines, baseCurrency)
  if ('fault' in converted) throw new Error(converted.fault)
  const { postings, rounding } = converted
  const rest = { code: '6950', minor: 0n, currency: baseCurrency, baseAmount: rounding, baseCurrency }
  return [
    {
      at,
      description: `Export ${month}`,
      baseCurrency,
      lines: rounding === '0' ? postings : [...postings, rest],
    },
  ]
}

/** The owners' capital, paid in before all else: enough that no account at the bank is ever overdrawn. */
function openingOf(entries: readonly Entry[], at: number): Entry[] {
  const lowest = new Map<string, bigint>()
  const balance = new Map<string, bigint>()
  for (const { lines } of entries)
    for (const { code, minor, currency } of lines)
      if (code === '1200') {
        const now = (balance.get(currency) ?? 0n) + minor
        balance.set(currency, now)
        if (now < (lowest.get(currency) ?? 0n)) lowest.set(currency, now)
      }
  const step = 10_000_000n
  return [...lowest].map(([currency, least]) => ({
    at,
    description: `Capital paid in, ${currency}`,
    lines: move('3000', '1200', (-least / step + 1n) * step, currency),
  }))
}

/** The first moment of a month before the present one. */
function monthsBefore(today: number, count: number): number {
  const now = new Date(today)
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - count, 1)
}

/** Months before the present one that are told of. */
const periodsBefore = 20

/** The present month is open, the last one softly closed, those before closed; of one somebody asks to reopen it. */
function periodsOf({ slug, today }: DemoSource): DemoRow[] {
  const random = seededRandom(`${slug} finance.fiscal_periods`)
  const { admin, analyst } = demoUserIds[slug]
  return Array.from({ length: periodsBefore + 1 }, (_, ago) => {
    const start = monthsBefore(today, ago)
    const end = monthsBefore(today, ago - 1)
    const closed = { closed_by_id: admin, closed_at: instant(end + 8 * day) }
    const asked = {
      reopen_requested_by_id: analyst,
      reopen_requested_at: instant(end + 9 * day),
      reopen_reason: 'An invoice for freight came late',
    }
    return {
      id: seededId(random, start),
      year: new Date(start).getUTCFullYear(),
      month: new Date(start).getUTCMonth() + 1,
      status: ago === 0 ? 'OPEN' : ago === 1 ? 'SOFT_CLOSED' : 'CLOSED',
      ...(ago > 0 && {
        soft_closed_by_id: analyst,
        soft_closed_at: instant(Math.min(end + 3 * day, today - 1)),
      }),
      ...(ago > 1 && closed),
      ...(ago === 2 && asked),
      created_at: instant(start),
    }
  })
}

const byTime = (a: Entry, b: Entry) => a.at - b.at

function entriesOf(source: DemoSource, transactions: DemoTable) {
  const { slug, today } = source
  const random = seededRandom(`${slug} finance.journal_entries`)
  const rows = transactions.rows({ ...source, random: seededRandom(`${slug} ${transactions.name}`) })
  const now = new Date(today)
  const monthsAgo = (count: number) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - count, 1))
  const story = Array.from({ length: storyMonths }, (_, place) =>
    ofMonth(source, monthsAgo(storyMonths - place), place),
  ).flat()
  const entries = [
    ...ofTransactions(rows),
    ...ofInvoices(source, monthsAgo(storyMonths).getTime()),
    ...story,
  ].sort(byTime)
  const all = [...openingOf(entries, entries[0]!.at - day), ...entries]
  const numbers = new Map<number, number>()
  const byTransaction = new Map<string, string>()
  const byDescription = new Map<string, string>()
  const made = all.map((entry) => {
    const year = new Date(entry.at).getUTCFullYear()
    numbers.set(year, (numbers.get(year) ?? 0) + 1)
    const id = seededId(random, entry.at)
    if (entry.transactionId) byTransaction.set(entry.transactionId, id)
    if (entry.description) byDescription.set(entry.description, id)
    return { ...entry, id, entryNumber: entryNumberOf(year, numbers.get(year)!) }
  })
  const reversed = ({ reverses, reversalOfTransaction }: Entry) =>
    reverses
      ? byDescription.get(reverses)
      : reversalOfTransaction
        ? byTransaction.get(reversalOfTransaction)
        : undefined
  return { entries: made.map((entry) => ({ ...entry, reversalOfId: reversed(entry) ?? null })), numbers }
}

/**
 * The books of a demo tenant: a chart of accounts, an entry for each transaction, months as an accountant keeps them,
 * with the invoices of the platform, and the present numbers.
 */
export function books(transactions: DemoTable): DemoTable[] {
  return [
    {
      name: 'finance.ledger_accounts',
      noun: 'accounts',
      rows: (source) => {
        const ids = accountOf(source)
        return generalChart.map((one) => ({
          id: ids.get(one.code),
          code: one.code,
          name: one.name,
          type: one.type,
          normal_side: sideOf(one),
          purpose: 'purpose' in one ? one.purpose : null,
          is_active: true,
          created_at: '2026-01-01T00:00:00.000Z',
        }))
      },
    },
    {
      name: 'finance.journal_entries',
      noun: 'journal entries',
      rows: (source) =>
        entriesOf(source, transactions).entries.map((entry) => ({
          id: entry.id,
          entry_number: entry.entryNumber,
          booked_on: dayOf(entry.at),
          description: entry.description,
          posting_count: entry.lines.length,
          base_currency: entry.baseCurrency ?? null,
          source_type: entry.source?.[0] ?? null,
          source_id: entry.source?.[1] ?? null,
          transaction_id: entry.transactionId ?? null,
          reversal_of_id: entry.reversalOfId,
          created_by_id: demoUserIds[source.slug].admin,
          created_at: instant(entry.at),
        })),
    },
    {
      name: 'finance.postings',
      noun: 'postings',
      rows: (source) => {
        const ids = accountOf(source)
        const random = seededRandom(`${source.slug} finance.postings`)
        return entriesOf(source, transactions).entries.flatMap((entry) =>
          entry.lines.map((line, place) => ({
            id: seededId(random, entry.at),
            entry_id: entry.id,
            booked_on: dayOf(entry.at),
            position: place + 1,
            account_id: ids.get(line.code),
            amount: String(line.minor),
            currency: line.currency,
            exchange_rate: line.exchangeRate ?? null,
            base_amount: line.baseAmount ?? null,
            base_currency: line.baseCurrency ?? null,
            memo: entry.description,
            created_at: instant(entry.at),
          })),
        )
      },
    },
    {
      name: 'finance.fiscal_periods',
      noun: 'periods',
      rows: periodsOf,
    },
    {
      name: 'finance.books',
      noun: 'books',
      rows: ({ today }) => [{ closed_before: dayOf(monthsBefore(today, 1)) }],
    },
    {
      name: 'finance.entry_series',
      noun: 'series of entry numbers',
      rows: (source) =>
        [...entriesOf(source, transactions).numbers].map(([year, last]) => ({ year, last_number: last })),
    },
  ]
}
