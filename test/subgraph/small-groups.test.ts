import * as fc from 'fast-check'
import { hiddenCells } from '../../kernel/reading/small-groups'
import type { Cell } from '../../kernel/reading/summary-sql'

const minGroup = 5

/** Cells of two dimensions with so many values each. */
const cellsOf = (counts: Readonly<Record<string, number>>): Cell[] =>
  Object.entries(counts).map(([name, count]) => ({
    keys: name.split(' '),
    isAdmitted: true,
    count,
    amounts: [{ currency: 'EUR', count, sum: null, smallest: null, largest: null }],
  }))

const judge = (counts: Readonly<Record<string, number>>) => {
  const hidden = hiddenCells(cellsOf(counts), 0, minGroup).get('EUR')!
  const of = (...names: string[]) =>
    hidden.mayShow(new Set(names.map((name) => JSON.stringify(name.split(' ')))))
  return { of, hidden }
}

test('groups that are large enough are shown', () => {
  const { of, hidden } = judge({ Sales: 5, HR: 7 })
  expect([of('Sales'), of('HR'), of('Sales', 'HR'), hidden.isCompleted]).toEqual([true, true, true, false])
})

test('one that is smaller is hidden with the next smallest, or the remainder would tell it', () => {
  const { of, hidden } = judge({ Board: 1, HR: 6, Sales: 9 })
  expect([of('Board'), of('HR'), of('Sales')]).toEqual([false, false, true])
  expect(hidden.isCompleted).toBe(true)
})

test('two that are together large enough need no third one', () => {
  const { of, hidden } = judge({ Board: 2, Legal: 3, Sales: 9 })
  expect([of('Board'), of('Legal'), of('Board', 'Legal'), of('Sales')]).toEqual([false, false, true, true])
  expect(hidden.isCompleted).toBe(false)
})

test('two that are together too small take a third one', () => {
  const { of } = judge({ Board: 1, Legal: 2, HR: 6, Sales: 9 })
  expect([of('Board'), of('Legal'), of('HR'), of('Board', 'Legal'), of('Sales')]).toEqual([
    false,
    false,
    false,
    false,
    true,
  ])
})

test('where all are too few nothing is shown', () => {
  expect(judge({ Board: 4 }).of('Board')).toBe(false)
  expect(judge({ Board: 1, Legal: 2 }).of('Board', 'Legal')).toBe(false)
})

test('whatever questions are added and subtracted, less than the smallest group is never told', () => {
  const names = ['Sales old', 'Sales new', 'HR old', 'HR new', 'Board old', 'Board new']
  const counted = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 6, maxLength: 6 })
  fc.assert(
    fc.property(counted, (numbers) => {
      const counts = Object.fromEntries(
        names.map((name, place) => [name, numbers[place]!] as const).filter(([, count]) => count > 0),
      )
      const present = Object.keys(counts)
      if (present.length === 0) return
      const { of } = judge(counts)
      // Every union of cells is a question that somebody may ask: by a filter, and grouped or not.
      const shown: string[][] = []
      for (let mask = 1; mask < 1 << present.length; mask++) {
        const union = present.filter((_, place) => mask & (1 << place))
        if (of(...union)) shown.push(union)
      }
      // Cells that are in the same of all shown unions cannot be told apart by any sum or difference of them.
      const pieces = new Map<string, number>()
      for (const name of present) {
        const signature = shown.map((union) => (union.includes(name) ? 1 : 0)).join('')
        if (signature.includes('1')) pieces.set(signature, (pieces.get(signature) ?? 0) + counts[name]!)
      }
      for (const values of pieces.values()) expect(values).toBeGreaterThanOrEqual(minGroup)
    }),
    { numRuns: 300 },
  )
})
