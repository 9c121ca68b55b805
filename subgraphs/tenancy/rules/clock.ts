/** As the check of the table has it. */
const longestAheadSeconds = 10 * 366 * 86_400

/**
 * By how many whole seconds a tenant must be ahead for it to be an instant; null for one that is not later than it is
 * there, or too far away.
 * @param now the true time
 * @param aheadSeconds by how much the tenant is ahead already
 */
export function secondsTo(now: Date, aheadSeconds: number, to: Date): number | null {
  const seconds = Math.ceil((to.getTime() - now.getTime()) / 1000)
  return seconds > aheadSeconds && seconds <= longestAheadSeconds ? seconds : null
}
