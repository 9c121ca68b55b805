import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../kernel/process/project-root'

const kernel = join(projectRoot, 'kernel')
const decision = readFileSync(join(projectRoot, 'docs/decisions/0024-kernel-budget.md'), 'utf8')

/** The most lines of each room, as the decision has them. */
const budget = new Map(
  [...decision.matchAll(/^\| (?:`([\w-]+)`|(front)) +\| +(\d+) \|/gm)].map(([, room, front, most]) => [
    room ?? front!,
    Number(most),
  ]),
)

function linesOf(folder: string): number {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8').split('\n').length - 1)
    .reduce((sum, lines) => sum + lines, 0)
}

const rooms = readdirSync(kernel, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

test('every room of the kernel has a budget, and no other', () => {
  expect([...budget.keys()].sort()).toEqual(['front', ...rooms].sort())
})

test.each(['front', ...rooms])(
  '%s stays within its budget (docs/decisions/0024-kernel-budget.md)',
  (room) => {
    const lines = linesOf(room === 'front' ? kernel : join(kernel, room))
    expect(lines).toBeGreaterThan(0)
    expect(lines).toBeLessThanOrEqual(budget.get(room)!)
  },
)
