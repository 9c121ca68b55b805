/** Days that count from a day on, in hundredths: negative when they are used. */
export interface DatedDays {
  /** ISO 8601 day. */
  on: string
  hundredths: number
}

/**
 * By how many hundredths leave would be overspent: the balance is 0 at least on every day from the first of the new leave on,
 * with all that is granted and asked for. So leave of the future keeps its days, whatever is asked for later for before it.
 * @param known what stands in the ledger, and what is asked for
 * @param wanted the new leave, negative
 */
export function overspent(known: readonly DatedDays[], wanted: readonly DatedDays[]): number {
  const all = [...known, ...wanted].sort((one, other) => (one.on < other.on ? -1 : one.on > other.on ? 1 : 0))
  const first = wanted.reduce((least, { on }) => (on < least ? on : least), '9999-12-31')
  let balance = 0
  let worst = 0
  for (const [place, { on, hundredths }] of all.entries()) {
    balance += hundredths
    // What counts from the same day on counts together.
    if (on >= first && all[place + 1]?.on !== on) worst = Math.min(worst, balance)
  }
  return worst < 0 ? -worst : 0
}
