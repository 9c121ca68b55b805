export type AccountType = 'ASSET' | 'LIABILITY' | 'EQUITY' | 'INCOME' | 'EXPENSE'
export type Side = 'DEBIT' | 'CREDIT'

/** An account as a chart has it; the normal side is that of its type unless `contra`. */
export interface ChartAccount<P extends string = string> {
  code: string
  name: string
  type: AccountType
  /** Tells that it takes away from its type: accumulated depreciation is an asset whose balance is a credit. */
  contra?: boolean
  purpose?: P
}

/** The side on which the balance of an account of this type usually is. */
export function normalSideOf(type: AccountType): Side {
  return type === 'ASSET' || type === 'EXPENSE' ? 'DEBIT' : 'CREDIT'
}

/** The side of an account of a chart. */
export function sideOf({ type, contra = false }: Pick<ChartAccount, 'type' | 'contra'>): Side {
  const side = normalSideOf(type)
  if (!contra) return side
  return side === 'DEBIT' ? 'CREDIT' : 'DEBIT'
}

/**
 * A chart for a trading or service business, in the usual order: what is owned, what is owed, equity, income, expenses.
 * Each purpose has one account, so that everything the product posts by itself has its place.
 */
export const generalChart = [
  { code: '1000', name: 'Cash', type: 'ASSET' },
  { code: '1200', name: 'Bank', type: 'ASSET', purpose: 'BANK' },
  { code: '1300', name: 'Money in transit', type: 'ASSET', purpose: 'TRANSIT' },
  { code: '1400', name: 'Trade receivables', type: 'ASSET', purpose: 'RECEIVABLES' },
  { code: '1500', name: 'Input tax', type: 'ASSET' },
  { code: '1600', name: 'Inventory', type: 'ASSET' },
  { code: '1650', name: 'Prepaid expenses', type: 'ASSET' },
  { code: '1700', name: 'Property and equipment', type: 'ASSET' },
  { code: '1790', name: 'Accumulated depreciation', type: 'ASSET', contra: true },
  { code: '1900', name: 'Suspense', type: 'ASSET', purpose: 'SUSPENSE' },
  { code: '1950', name: 'Currency exchange', type: 'ASSET', purpose: 'EXCHANGE' },
  { code: '2000', name: 'Trade payables', type: 'LIABILITY', purpose: 'PAYABLES' },
  { code: '2100', name: 'Salaries payable', type: 'LIABILITY' },
  { code: '2200', name: 'Tax payable', type: 'LIABILITY' },
  { code: '2400', name: 'Accrued expenses', type: 'LIABILITY' },
  { code: '2500', name: 'Deferred income', type: 'LIABILITY' },
  { code: '2700', name: 'Loans', type: 'LIABILITY' },
  { code: '3000', name: 'Share capital', type: 'EQUITY' },
  { code: '3200', name: 'Retained earnings', type: 'EQUITY', purpose: 'RETAINED_EARNINGS' },
  { code: '3900', name: 'Opening balances', type: 'EQUITY', purpose: 'OPENING_BALANCES' },
  { code: '4000', name: 'Revenue', type: 'INCOME', purpose: 'REVENUE' },
  { code: '4090', name: 'Sales deductions', type: 'INCOME', contra: true },
  { code: '4800', name: 'Other income', type: 'INCOME' },
  { code: '4900', name: 'Exchange gains', type: 'INCOME' },
  { code: '5000', name: 'Cost of sales', type: 'EXPENSE' },
  { code: '6000', name: 'Operating expenses', type: 'EXPENSE', purpose: 'EXPENSES' },
  { code: '6100', name: 'Salaries', type: 'EXPENSE' },
  { code: '6200', name: 'Rent', type: 'EXPENSE' },
  { code: '6300', name: 'Depreciation', type: 'EXPENSE' },
  { code: '6400', name: 'Commissions', type: 'EXPENSE' },
  { code: '6800', name: 'Bank charges', type: 'EXPENSE' },
  { code: '6900', name: 'Exchange losses', type: 'EXPENSE' },
  { code: '6950', name: 'Rounding differences', type: 'EXPENSE', purpose: 'ROUNDING' },
  { code: '6990', name: 'Adjustments', type: 'EXPENSE', purpose: 'ADJUSTMENTS' },
] as const satisfies readonly ChartAccount[]

/** Purposes by which accounts of the chart are found. */
export type ChartPurpose = Extract<(typeof generalChart)[number], { purpose: string }>['purpose']

/** The account of the chart for a purpose. */
export function chartAccount(purpose: ChartPurpose): ChartAccount<ChartPurpose> {
  return (generalChart as readonly ChartAccount<ChartPurpose>[]).find((one) => one.purpose === purpose)!
}

/**
 * The accounts that a movement of money is booked on when it is positive, and the place of the one that may be another: what
 * it is for, as the other one is where the money is.
 */
export const sidesOfTransaction = {
  INCOME: { debit: 'BANK', credit: 'REVENUE', free: 'credit' },
  EXPENSE: { debit: 'EXPENSES', credit: 'BANK', free: 'debit' },
  TRANSFER: { debit: 'TRANSIT', credit: 'BANK', free: 'debit' },
  ADJUSTMENT: { debit: 'SUSPENSE', credit: 'ADJUSTMENTS', free: 'credit' },
} as const satisfies Record<string, { debit: ChartPurpose; credit: ChartPurpose; free: 'debit' | 'credit' }>
