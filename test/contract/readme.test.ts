import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../kernel/process/config'
import { startGraph } from '../support/graph'

const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8')
const shown = (mark: string): string =>
  new RegExp(`<!-- ${mark} -->\\s+\`\`\`\\w+\\n([^]*?)\`\`\``).exec(readme)![1]!

it('shows a query over six subgraphs with the answer the product gives', async () => {
  const query = readFileSync(join(projectRoot, 'test', 'operations', 'overview.graphql'), 'utf8')
  expect(shown('query')).toBe(query)
  const graph = await startGraph({ demo: true })
  try {
    const { data } = await (await graph.demo('acme', 'admin')).query(query)
    expect({ data }).toEqual(JSON.parse(shown('answer')))
  } finally {
    await graph.close()
  }
})

it('names only scripts and files that exist', () => {
  const { scripts } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
    scripts: object
  }
  const named = [...readme.matchAll(/npm (?:run )?([a-z][\w:]+)/g)].map(([, name]) => name!)
  expect(named.filter((name) => !['ci', 'install'].includes(name) && !(name in scripts))).toEqual([])
  for (const [, file] of readme.matchAll(/\]\(([\w./-]+)\)/g)) readFileSync(join(projectRoot, file!))
})
