import type { Cell } from './summary-sql'

/** Which groups may tell what is measured in one currency. */
export interface HiddenCells {
  /** Cells were added to the small ones, so that these cannot be told from the remainder of a total. */
  isCompleted: boolean
  /** Tells whether a group of these cells may show its amounts. */
  mayShow(cells: ReadonlySet<string>): boolean
}

/**
 * Finds the cells that no group may tell apart, by currency: those with fewer values than `minGroup`, and then the next
 * smallest until they are at least two with `minGroup` values together. A group shows its amounts when it has none of them,
 * or all of them.
 *
 * They depend on the rows of the tenant alone, not on what is asked. So whatever is shown is made of cells that are large
 * enough and of this remainder as one piece, and no sums or differences of questions tell more than that.
 */
export function hiddenCells(
  cells: readonly Cell[],
  place: number,
  minGroup: number,
): ReadonlyMap<string | null, HiddenCells> {
  const counts = new Map<string | null, Map<string, number>>()
  for (const { keys, amounts } of cells) {
    const { currency, count } = amounts[place]!
    if (count === 0) continue
    const ofCurrency = counts.get(currency) ?? new Map<string, number>()
    const name = JSON.stringify(keys)
    counts.set(currency, ofCurrency.set(name, (ofCurrency.get(name) ?? 0) + count))
  }
  return new Map([...counts].map(([currency, ofCurrency]) => [currency, hiddenOf(ofCurrency, minGroup)]))
}

function hiddenOf(counts: ReadonlyMap<string, number>, minGroup: number): HiddenCells {
  // The name decides between equal counts, so that each question hides the same.
  const bySize = [...counts].sort(([a, one], [b, other]) => one - other || (a < b ? -1 : 1))
  const small = bySize.filter(([, count]) => count < minGroup).length
  let size = small
  const valuesOf = (cells: number) => bySize.slice(0, cells).reduce((sum, [, count]) => sum + count, 0)
  while (size > 0 && size < bySize.length && (size < 2 || valuesOf(size) < minGroup)) size += 1
  const hidden = bySize.slice(0, size).map(([name]) => name)
  const mayShowTogether = size > 1 && valuesOf(size) >= minGroup
  return {
    isCompleted: size > small,
    mayShow: (cells) => {
      const inside = hidden.filter((name) => cells.has(name)).length
      return inside === 0 || (inside === hidden.length && mayShowTogether)
    },
  }
}
