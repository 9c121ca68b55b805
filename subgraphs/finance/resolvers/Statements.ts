import type { SubgraphContext } from '../../../kernel/context'
import { badUserInput } from '../../../kernel/errors'
import { load } from '../../../kernel/load'
import { money } from '../../../kernel/money'
import { prepared } from '../../../kernel/statement'
import { LedgerAccount } from '../entities/LedgerAccount'
import type { LedgerBasis, Resolvers } from '../generated'
import { balanceOf, resultOf, sectionOf, type AccountSum } from '../rules/statements'

/** The sums of each account with postings from a day to a day, both included, by codes: one statement. */
const sumAccounts = (amount: string, condition: string) => `
  SELECT a.id, a.type, coalesce(sum(s.amount) FILTER (WHERE s.amount > 0), 0)::text,
         coalesce(-sum(s.amount) FILTER (WHERE s.amount < 0), 0)::text
    FROM (SELECT p.account_id, ${amount} AS amount FROM finance.postings p
           WHERE p.tenant_id = $1 AND p.booked_on BETWEEN $2 AND $3 AND ${condition}) s
    JOIN finance.ledger_accounts a ON a.tenant_id = $1 AND a.id = s.account_id
   GROUP BY a.id, a.type, a.code ORDER BY a.code COLLATE "und-x-icu", a.id`
const sums: Readonly<Record<LedgerBasis, string>> = {
  POSTED: sumAccounts('p.amount', 'p.currency = $4'),
  CONVERTED: sumAccounts(
    'coalesce(p.base_amount, p.amount)',
    '(p.base_currency = $4 OR p.base_currency IS NULL AND p.currency = $4)',
  ),
}
const firstDay = '1900-01-01'

interface Asked {
  currency: string
  basis: LedgerBasis
}

async function sumsBetween(
  context: SubgraphContext,
  first: string,
  last: string,
  { currency, basis }: Asked,
): Promise<AccountSum[]> {
  const values = [context.binding.tenantId, first, last, currency]
  const rows = await context.db.rows(context.binding, prepared(sums[basis], values))
  return (rows as [string, AccountSum['type'], string, string][]).map(
    ([accountId, type, debits, credits]) => ({ accountId, type, debits, credits }),
  )
}

/** The account of a line: its other columns are read when they are asked for. */
const accountOf = (id: string) => ({ id }) as LedgerAccount

/** A section with its lines and its sum as the graph shows them. */
function shown(rows: readonly AccountSum[], type: AccountSum['type'], currency: string) {
  const { lines, total } = sectionOf(rows, type)
  return {
    lines: lines.map(({ accountId, amount }) => ({
      account: accountOf(accountId),
      amount: money(amount, currency),
    })),
    total: money(total, currency),
  }
}

export const statements: Resolvers = {
  Query: {
    async trialBalance(_, { asOf, ...asked }, context) {
      const rows = await sumsBetween(context, firstDay, asOf, asked)
      const total = (side: 'debits' | 'credits') =>
        money(String(rows.reduce((sum, row) => sum + BigInt(row[side]), 0n)), asked.currency)
      const lines = rows.map((row) => ({
        account: accountOf(row.accountId),
        debits: money(row.debits, asked.currency),
        credits: money(row.credits, asked.currency),
        balance: money(String(balanceOf(row)), asked.currency),
      }))
      return { asOf, lines, debits: total('debits'), credits: total('credits') }
    },
    async balanceSheet(_, { asOf, ...asked }, context) {
      const rows = await sumsBetween(context, firstDay, asOf, asked)
      const [assets, liabilities, equity] = (['ASSET', 'LIABILITY', 'EQUITY'] as const).map((type) =>
        shown(rows, type, asked.currency),
      ) as [ReturnType<typeof shown>, ReturnType<typeof shown>, ReturnType<typeof shown>]
      return {
        asOf,
        assets: assets.lines,
        liabilities: liabilities.lines,
        equity: equity.lines,
        totalAssets: assets.total,
        totalLiabilities: liabilities.total,
        totalEquity: equity.total,
        result: money(resultOf(rows), asked.currency),
      }
    },
    async incomeStatement(_, { from: first, to, ...asked }, context) {
      const from = first ?? `${to.slice(0, 4)}-01-01`
      if (to < from) throw badUserInput('to must not be before from')
      const rows = await sumsBetween(context, from, to, asked)
      const [income, expenses] = (['INCOME', 'EXPENSE'] as const).map((type) =>
        shown(rows, type, asked.currency),
      ) as [ReturnType<typeof shown>, ReturnType<typeof shown>]
      return {
        from,
        to,
        income: income.lines,
        expenses: expenses.lines,
        totalIncome: income.total,
        totalExpenses: expenses.total,
        result: money(resultOf(rows), asked.currency),
      }
    },
  },
  LedgerLine: {
    account: ({ account }, _args, context, info) => load(context, LedgerAccount, account?.id, info),
  },
  StatementLine: {
    account: ({ account }, _args, context, info) => load(context, LedgerAccount, account?.id, info),
  },
}
