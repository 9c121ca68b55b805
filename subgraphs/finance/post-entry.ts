import type { SubgraphContext } from '../../kernel/context'
import { UserErrors } from '../../kernel/errors'
import { isUuid } from '../../kernel/id'
import type { MutationTransaction } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import { JournalEntry } from './entities/JournalEntry'
import { LedgerAccount, type LedgerPurpose } from './entities/LedgerAccount'
import { Posting } from './entities/Posting'
import type { FinanceUserErrorCode } from './generated'
import { requireOpenPeriod } from './open-period'
import { chartAccount, sideOf } from './rules/chart-of-accounts'
import { entryFault, entryNumberOf, opposite, valued, type Booking, type Valued } from './rules/entry'

type Tx = MutationTransaction<FinanceUserErrorCode>

/** An account by its id, or by what the product uses it for. */
export type AccountReference = { accountId: string } | { purpose: LedgerPurpose }

export type NewPosting = Booking &
  AccountReference & {
    memo?: string | null
    /** The input field that names the account: what is wrong with it is said there. */
    path?: readonly string[]
  }

/** Describes an entry to be posted. */
export interface NewEntry {
  /** A day: YYYY-MM-DD. */
  bookedOn: string
  description?: string | null
  /** The document that it books, once: `tenancy.invoice-issued` and its id. */
  source?: { type: string; id: string } | null
  transactionId?: string
  /** The currency that postings are converted to; each in another one says its rate. */
  baseCurrency?: string | null
  postings: readonly NewPosting[]
  /** The input field that gives the day. */
  dayField?: string
}

const account = 'SELECT a.id, a.purpose, a.code, a.currency, a.is_active FROM finance.ledger_accounts a'
// In the order of ids, so that two that post do not wait for each other. Closing an account waits for them.
const findAccounts = `${account}
  WHERE a.tenant_id = $1 AND (a.id = ANY ($2) OR a.purpose = ANY ($3)) ORDER BY a.id FOR SHARE`
const findSource = `
  SELECT e.id FROM finance.journal_entries e WHERE e.tenant_id = $1 AND e.source_type = $2 AND e.source_id = $3`
const takeNumber = `
  INSERT INTO finance.entry_series AS s (year, last_number) VALUES ($1, 1)
  ON CONFLICT (tenant_id, year) DO UPDATE SET last_number = s.last_number + 1 RETURNING last_number::text`
const giveBackNumber = `
  UPDATE finance.entry_series AS s SET last_number = s.last_number - 1 WHERE s.tenant_id = $1 AND s.year = $2`
const findPostings = `
  SELECT p.account_id, p.amount::text, p.currency, p.exchange_rate::text, p.base_amount::text, p.base_currency, p.memo
    FROM finance.postings p WHERE p.tenant_id = $1 AND p.entry_id = $2 ORDER BY p.position`

/**
 * The posting port: books an entry within the transaction of what it books. A document is booked once: asked for again
 * with the same source, the entry that is there comes back and nothing is written, whatever the postings say. Accounts by
 * purpose are made from the chart when the tenant has none. A difference that conversion leaves goes to the account for
 * rounding differences.
 *
 * Fails with NOT_BALANCED, PERIOD_CLOSED, ACCOUNT_CLOSED, INVALID and REFERENCE_NOT_FOUND.
 */
export async function postEntry(context: SubgraphContext, tx: Tx, entry: NewEntry): Promise<JournalEntry> {
  const known = await bookedAlready(context, tx, entry)
  if (known) return known
  const fault = entryFault(entry.postings)
  if (fault) tx.fail('NOT_BALANCED', fault, 'postings')
  const converted = valued(entry.postings, entry.baseCurrency ?? null)
  if ('fault' in converted) tx.fail('INVALID', converted.fault, 'postings')
  const { rounding } = converted
  const postings: readonly (NewPosting & Valued)[] =
    rounding === '0'
      ? converted.postings
      : [
          ...converted.postings,
          {
            purpose: 'ROUNDING',
            amount: '0',
            currency: entry.baseCurrency!,
            exchangeRate: null,
            baseAmount: rounding,
            baseCurrency: entry.baseCurrency!,
            memo: null,
          },
        ]
  const accountOf = await accountsOf(context, tx, postings)
  return write(
    context,
    tx,
    entry,
    null,
    postings.map((posting) => ({ ...posting, accountId: accountOf(posting) })),
  )
}

/**
 * Books the opposite of an entry, posting by posting; an entry has one reversal, which the database sees to.
 * @param transactionId the transaction that the reversal books
 */
export async function postReversal(
  context: SubgraphContext,
  tx: Tx,
  original: Pick<JournalEntry, 'id' | 'baseCurrency'>,
  entry: Pick<NewEntry, 'bookedOn' | 'description' | 'transactionId' | 'dayField'>,
): Promise<JournalEntry> {
  const rows = await tx.rows(prepared(findPostings, [context.binding.tenantId, original.id]))
  const postings = (rows as (string | null)[][]).map(
    ([accountId, amount, currency, exchangeRate, baseAmount, baseCurrency, memo]) =>
      opposite({
        accountId: accountId!,
        amount: amount!,
        currency: currency!,
        exchangeRate: exchangeRate!,
        baseAmount: baseAmount!,
        baseCurrency: baseCurrency!,
        memo: memo!,
      }),
  )
  // None of them may be closed.
  await accountsOf(context, tx, postings)
  return write(context, tx, { ...entry, baseCurrency: original.baseCurrency }, original.id, postings)
}

/** The entry that books the document already, or null. */
async function bookedAlready(
  context: SubgraphContext,
  tx: Tx,
  { source }: Pick<NewEntry, 'source'>,
): Promise<JournalEntry | null> {
  if (!source) return null
  const [known] = await tx.rows(prepared(findSource, [context.binding.tenantId, source.type, source.id]))
  return known ? tx.find(JournalEntry, String(known[0])) : null
}

async function write(
  context: SubgraphContext,
  tx: Tx,
  entry: Omit<NewEntry, 'postings'>,
  reversalOfId: string | null,
  postings: readonly (Booking & Valued & { accountId: string; memo?: string | null })[],
): Promise<JournalEntry> {
  const { bookedOn, description, source, transactionId, baseCurrency } = entry
  const year = Number(bookedOn.slice(0, 4))
  // The day of a transaction was looked at before it was recorded.
  if (!transactionId) await requireOpenPeriod(context, tx, bookedOn, entry.dayField)
  // After everything that can be looked up: whoever else posts waits from here to the end of this transaction.
  const [[place]] = (await tx.rows(prepared(takeNumber, [year]))) as [[string]]
  // Who books the same document at the same time has ended before the number was ours.
  const known = await bookedAlready(context, tx, entry)
  if (known) {
    await tx.run(prepared(giveBackNumber, [context.binding.tenantId, year]))
    return known
  }
  const written = await tx.insert(JournalEntry, {
    entryNumber: entryNumberOf(year, place),
    bookedOn,
    description: description ?? null,
    postingCount: postings.length,
    baseCurrency: baseCurrency ?? null,
    sourceType: source?.type ?? null,
    sourceId: source?.id ?? null,
    transactionId: transactionId ?? null,
    reversalOfId,
  })
  const rows = postings.map((posting, at) => ({
    entryId: written.id,
    bookedOn,
    position: at + 1,
    accountId: posting.accountId,
    amount: posting.amount,
    currency: posting.currency,
    exchangeRate: posting.exchangeRate,
    baseAmount: posting.baseAmount,
    baseCurrency: posting.baseCurrency,
    memo: posting.memo ?? null,
  }))
  await tx.insertAll(Posting, rows)
  return written
}

interface FoundAccount {
  id: string
  purpose: string | null
  code: string
  currency: string | null
  isActive: boolean
}

/** Looks up the accounts of postings, locked against closing, and returns what finds the id of each one's. */
async function accountsOf(
  context: SubgraphContext,
  tx: Tx,
  postings: readonly NewPosting[],
): Promise<(posting: NewPosting) => string> {
  const ids = [...new Set(postings.flatMap((one) => ('accountId' in one ? [one.accountId] : [])))]
  const purposes = [...new Set(postings.flatMap((one) => ('purpose' in one ? [one.purpose] : [])))].sort()
  const rows = await tx.rows(prepared(findAccounts, [context.binding.tenantId, ids.filter(isUuid), purposes]))
  const found = (rows as [string, string | null, string, string | null, boolean][]).map(
    ([id, purpose, code, currency, isActive]): FoundAccount => ({ id, purpose, code, currency, isActive }),
  )
  for (const purpose of purposes)
    if (!found.some((one) => one.purpose === purpose)) found.push(await makeAccount(tx, purpose))
  const accountOf = (posting: NewPosting) =>
    found.find(({ id, purpose }) =>
      'purpose' in posting ? purpose === posting.purpose : id === posting.accountId.toLowerCase(),
    )
  for (const posting of postings) {
    const one = accountOf(posting)
    if (!one) throw refusal('REFERENCE_NOT_FOUND', 'There is no account with this id', posting)
    if (!one.isActive) throw refusal('ACCOUNT_CLOSED', `The account ${one.code} is closed`, posting)
    if (one.currency && one.currency !== posting.currency)
      throw refusal('INVALID', `The account ${one.code} takes ${one.currency} only`, posting)
  }
  return (posting) => accountOf(posting)!.id
}

const refusal = (
  code: 'REFERENCE_NOT_FOUND' | 'ACCOUNT_CLOSED' | 'INVALID',
  message: string,
  { path }: NewPosting,
) => new UserErrors([{ code, message, field: path ? [...path] : null }])

/** The account for a purpose as the chart has it, unless somebody else has just made it. */
async function makeAccount(tx: Tx, purpose: LedgerPurpose): Promise<FoundAccount> {
  const { code, name, type, contra } = chartAccount(purpose)
  const made = { code, name, type, normalSide: sideOf({ type, contra }), purpose }
  return (await tx.insertOnce(LedgerAccount, made, ['purpose'])).row
}
