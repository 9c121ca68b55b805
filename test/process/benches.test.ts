import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const folder = resolve('bench')
/** Files that are run, as opposed to those that only give something to others. */
const benches = readdirSync(folder).filter(
  (file) => file.endsWith('.mjs') && !/^export /m.test(readFileSync(join(folder, file), 'utf8')),
)

it('each bench says how it is called', async () => {
  expect(benches).toContain('events.mjs')
  const said = await Promise.all(
    benches.map(async (file) => {
      const { stdout } = await run(process.execPath, [join(folder, file), '--help'], { timeout: 30_000 })
      return [file, stdout.split('\n')[0]]
    }),
  )
  for (const [file, line] of said) expect(`${file}: ${line}`).toMatch(/^\S+: (node .*bench\/|npm run bench)/)
})

it.each(['many', '--many'])('a bench refuses %s, which is neither a number nor an option', async (given) => {
  await expect(run(process.execPath, [join(folder, 'postings.mjs'), given])).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^node bench\/postings\.mjs \[rounds\] \[rows\]/) as string,
  })
})
