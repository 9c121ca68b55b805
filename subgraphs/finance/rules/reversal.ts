/** Describes what of a transaction its reversal repeats. */
export interface Reversible {
  id: string
  type: 'INCOME' | 'EXPENSE' | 'TRANSFER' | 'ADJUSTMENT'
  category: string | null
  departmentId: string | null
  /** In the currency's smallest unit, decimal digits. */
  amount: string
  currency: string
  reversalOfId: string | null
}

/**
 * The opposite of a transaction: same type, category, department and currency, negated amount. Together they add up to
 * nothing, which is how a posting is corrected (a posted entry is never edited).
 */
export function reversalOf({ id, type, category, departmentId, amount, currency }: Reversible) {
  return { type, category, departmentId, amount: String(-BigInt(amount)), currency, reversalOfId: id }
}

/** Why a transaction cannot be reversed, or null. */
export function reversalFault(transaction: Reversible, isReversed: boolean): string | null {
  if (transaction.reversalOfId) return 'This is a reversal: record a new transaction instead'
  return isReversed ? 'This transaction is reversed already' : null
}

/**
 * Why a transaction cannot be filed elsewhere, or null: a reversal and what it reverses stay in one category and
 * department, or neither of these would add up.
 */
export function refilingFault(transaction: Reversible, isReversed: boolean): string | null {
  return transaction.reversalOfId || isReversed
    ? 'A reversal and what it reverses stay in their category and department'
    : null
}
