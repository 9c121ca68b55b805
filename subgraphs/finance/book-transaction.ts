import type { SubgraphContext } from '../../kernel/context'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import type { JournalEntry } from './entities/JournalEntry'
import type { Transaction } from './entities/Transaction'
import type { FinanceUserErrorCode } from './generated'
import { postEntry, postReversal, type NewPosting } from './post-entry'
import { sidesOfTransaction } from './rules/chart-of-accounts'
import { dayOf } from './rules/entry'

type Tx = MutationTransaction<FinanceUserErrorCode>

const findEntry = `
  SELECT e.id, e.base_currency FROM finance.journal_entries e WHERE e.tenant_id = $1 AND e.transaction_id = $2`

/**
 * Books a movement of money: two postings on the day of its time. Fails as {@link postEntry} does.
 * @param ledgerAccountId the account that it is booked on beside the bank; that of its type when omitted
 */
export function bookTransaction(
  context: SubgraphContext,
  tx: Tx,
  { id, type, amount, currency, occurredAt }: Transaction,
  ledgerAccountId: string | null | undefined,
): Promise<JournalEntry> {
  const { free, ...purposes } = sidesOfTransaction[type]
  const account = (side: 'debit' | 'credit') =>
    side === free && ledgerAccountId
      ? { accountId: ledgerAccountId, path: ['ledgerAccountId'] }
      : { purpose: purposes[side] }
  const postings: NewPosting[] = [
    { ...account('debit'), amount, currency },
    { ...account('credit'), amount: String(-BigInt(amount)), currency },
  ]
  const bookedOn = dayOf(occurredAt)
  return postEntry(context, tx, { bookedOn, transactionId: id, postings, dayField: 'occurredAt' })
}

/** Books a reversal: the opposite of what the books say of the reversed transaction. */
export async function bookReversal(
  context: SubgraphContext,
  tx: Tx,
  reversal: Transaction,
): Promise<JournalEntry> {
  const [original] = await tx.rows(prepared(findEntry, [context.binding.tenantId, reversal.reversalOfId]))
  // Transactions that were brought in past the graph have no entry to reverse.
  if (!original) return bookTransaction(context, tx, reversal, null)
  const [id, baseCurrency] = original as [string, string | null]
  const bookedOn = dayOf(reversal.occurredAt)
  return postReversal(context, tx, { id, baseCurrency }, { bookedOn, transactionId: reversal.id })
}
