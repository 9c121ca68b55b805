import type { AccountType, Side } from './chart-of-accounts'

/** The sum of an account, in a currency's smallest unit, decimal digits; credits are positive. */
export interface AccountSum {
  accountId: string
  type: AccountType
  debits: string
  credits: string
}

/** Debits less credits. */
export const balanceOf = ({ debits, credits }: Pick<AccountSum, 'debits' | 'credits'>): bigint =>
  BigInt(debits) - BigInt(credits)

const sideOfSection: Readonly<Record<AccountType, Side>> = {
  ASSET: 'DEBIT',
  LIABILITY: 'CREDIT',
  EQUITY: 'CREDIT',
  INCOME: 'CREDIT',
  EXPENSE: 'DEBIT',
}

/** The lines of a section, each positive on the side of the section, and their sum. */
export function sectionOf(
  sums: readonly AccountSum[],
  type: AccountType,
): { lines: { accountId: string; amount: string }[]; total: string } {
  const lines = sums
    .filter((sum) => sum.type === type)
    .map((sum) => {
      const balance = balanceOf(sum)
      return {
        accountId: sum.accountId,
        amount: String(sideOfSection[type] === 'DEBIT' ? balance : -balance),
      }
    })
  return { lines, total: String(lines.reduce((total, { amount }) => total + BigInt(amount), 0n)) }
}

/** Income less expenses: negative when it is a loss. */
export function resultOf(sums: readonly AccountSum[]): string {
  return String(BigInt(sectionOf(sums, 'INCOME').total) - BigInt(sectionOf(sums, 'EXPENSE').total))
}
