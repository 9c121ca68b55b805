import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { projectRoot } from '../../kernel/process/project-root'

const skipped: ReadonlySet<string> = new Set(['node_modules', 'dist', '.git', '.data'])

function* pagesIn(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory() && !skipped.has(entry.name)) yield* pagesIn(path)
    else if (entry.name.endsWith('.md')) yield path
  }
}

const pages = [...pagesIn(projectRoot)].map((path) => ({
  name: relative(projectRoot, path),
  text: readFileSync(path, 'utf8').replace(/^(`{3,})[^]*?^\1/gm, ''),
}))

/** Anchors as GitHub makes them of headings. */
function anchorsOf(file: string): ReadonlySet<string> {
  return new Set(
    [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    ),
  )
}

/** What keeps a link of a page from leading to a file of the project, and to a heading of it; null where it does. */
function faultOf(page: string, link: string): string | null {
  const [path, anchor] = link.split('#')
  const file = path === '' ? join(projectRoot, page) : join(projectRoot, dirname(page), path!)
  if (!existsSync(file)) return `${page}: ${link}`
  if (anchor && file.endsWith('.md') && !anchorsOf(file).has(anchor)) return `${page}: ${link}`
  return null
}

test('every link of a page leads to a file, and to a heading', () => {
  const links = pages.flatMap(({ name, text }) =>
    [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link]) => link!)
      .filter((link) => !/^[a-z]+:/.test(link))
      .map((link) => [name, link] as const),
  )
  expect(links.length).toBeGreaterThan(50)
  expect(links.map(([page, link]) => faultOf(page, link)).filter((fault) => fault !== null)).toEqual([])
})

test('a link to no file, and to no heading, is told', () => {
  expect(faultOf('README.md', 'docs/nothing.md')).toBe('README.md: docs/nothing.md')
  expect(faultOf('README.md', 'docs/errors.md#nothing')).toBe('README.md: docs/errors.md#nothing')
  expect(faultOf('README.md', 'docs/errors.md#where-errors-stand')).toBeNull()
})

/** Paths in code marks, of rooms of the project and with a file's ending. */
const path =
  /`((?:kernel|gateway|registry|product|subgraphs|database|isolation|scripts|test|docs|schema|migrations|bench)\/[\w./-]+\.(?:ts|mjs|graphql|md|json))`/g

/** Files that a page tells the reader to make. */
const made = new Set(['schema/contracts.json', 'schema/approvals.json'])
const ofTheGuide = /\/course\.|\/Course\./

test('every file that a page names in code marks is there', () => {
  const named = pages.flatMap(({ name, text }) =>
    [...text.matchAll(path)].map(([, file]) => ({ page: name, file: file! })),
  )
  expect(named.length).toBeGreaterThan(20)
  const missing = named
    .filter(({ file }) => !made.has(file) && !ofTheGuide.test(file))
    .filter(({ file }) => !existsSync(join(projectRoot, file)))
  expect(missing).toEqual([])
})
