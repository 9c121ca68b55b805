/** What compares with the clock of the database, or counts from it. */
const compared = /(?:[<>]=?|between|[-+])\s*(?:now\(\)|current_date|current_timestamp)/i
const countedFrom = /(?:now\(\)|current_date|current_timestamp)\s*(?:[<>]=?|[-+])/i

/**
 * Says whether a statement waits for time by the clock of the database, which no test and no sandbox can move. The leases
 * of jobs do: they say whether a process lives.
 */
export const waitsByDatabase = (text: string): boolean =>
  (compared.test(text) || countedFrom.test(text)) && !/\blease_until\b/.test(text)

/** @throws Error with the statements that wait by the clock of the database */
export function assertByTheClock(statements: Iterable<string>): void {
  const faults = [...statements].filter(waitsByDatabase)
  if (faults.length > 0)
    throw new Error(`Statements that wait by the clock of the database:\n  ${faults.join('\n  ')}`)
}
