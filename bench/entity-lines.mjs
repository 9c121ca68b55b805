import { execFileSync } from 'node:child_process'
import { Kind, parse } from 'graphql'
import { argumentsFrom } from './measure/arguments.mjs'

const usage = `node bench/entity-lines.mjs [COMMIT]

Counts the lines that entities take by hand, blank ones left out, at a commit or in the working tree.

Generated and composed files, and what all entities share, do not count.`
const [commit] = argumentsFrom(usage)
const entities = [
  { name: 'Holiday', subgraph: 'hr', table: 'holidays' },
  { name: 'Department', subgraph: 'hr', table: 'departments' },
  { name: 'Invoice', subgraph: 'tenancy', table: 'invoices?|invoice_(lines|series)' },
]

const git = (...args) => execFileSync('git', args, { encoding: 'utf8', maxBuffer: 1e8 })
const at = commit || git('stash', 'create').trim() || 'HEAD'
const paths = git('ls-tree', '-r', '--name-only', at).split('\n')
const read = (pattern) =>
  paths.filter((path) => pattern.test(path)).map((path) => git('show', `${at}:${path}`))
const filled = (text) => text.split('\n').filter((line) => line.trim() !== '').length
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0)
const namedType = (type) => (type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type))

function schemaLines({ name, subgraph }) {
  const isOf = (type) => new RegExp(`${name}(?![a-z])`).test(type)
  return sum(
    read(new RegExp(`^schema/${subgraph}(/[^/]+)?\\.graphql$`)).map((text) => {
      const lines = ({ loc }) => filled(text.slice(loc.start, loc.end))
      return sum(
        parse(text).definitions.map((node) => {
          const root = /^(Query|Mutation)$/.test(node.name.value)
          const own = root ? node.fields.filter((field) => isOf(namedType(field.type))) : []
          if (root) return sum(own.map(lines)) + (own.length > 0 ? 2 : 0)
          return isOf(node.name.value) ? lines(node) : 0
        }),
      )
    }),
  )
}

/** The steps of migrations that make the tables, with their messages and scopes; a file of its own counts as a whole. */
function migrationLines({ name, subgraph, table }) {
  const own = read(new RegExp(`^migrations/\\d+-(${table})\\.ts$`))
  if (own.length > 0) return sum(own.map(filled))
  const isOf = new RegExp(
    `^ {2}tenantTable\\([^]*?\\n {4}table: '(${table})'|^ {2}constraintMessages\\('${subgraph}\\.(${table})'`,
  )
  const steps = read(/^migrations\/\d+-[\w-]+\.ts$/).flatMap((text) => text.split(/\n(?= {2}\w+\()/))
  const scopes = new RegExp(`^ +'${subgraph}:${name.toLowerCase()}:`)
  return sum(
    steps.map((step) =>
      isOf.test(step)
        ? filled(step.split(/\n\]\)/)[0])
        : step.split('\n').filter((line) => scopes.test(line)).length,
    ),
  )
}

function linesOf(entity) {
  const { name, subgraph, table } = entity
  const lower = name[0].toLowerCase() + name.slice(1)
  const files = (pattern) => sum(read(new RegExp(pattern)).map(filled))
  const demo = read(/^database\/demo\/\w+\.ts$/).flatMap((text) =>
    text.split(/\n(?=(?:export )?const \w+: DemoTable)/),
  )
  const index = read(new RegExp(`^subgraphs/${subgraph}/index\\.ts$`))
    .join('\n')
    .split('\n')
  return {
    schema: schemaLines(entity),
    entity: files(`^subgraphs/${subgraph}/entities/${name}\\w*\\.ts$`),
    resolvers: files(`^subgraphs/${subgraph}/resolvers/${name}\\w*\\.ts$`),
    index: index.filter((line) => new RegExp(`\\b(${name}|${lower})\\b`).test(line)).length,
    migration: migrationLines(entity),
    test: files(`^test/${subgraph}/${lower}[\\w-]*\\.test\\.ts$`),
    demo: sum(
      demo.map((part) =>
        new RegExp(`^(export )?const \\w+: DemoTable[^]*name: '${subgraph}\\.(${table})'`).test(part)
          ? filled(part.split(/\n}\n/)[0]) + 1
          : 0,
      ),
    ),
  }
}

const rows = entities.map((entity) => [entity.name, linesOf(entity)])
const kinds = Object.keys(rows[0][1])
console.log(`| Entity | ${kinds.join(' | ')} | all |\n| --- ${'| --: '.repeat(kinds.length + 1)}|`)
for (const [name, lines] of rows)
  console.log(`| ${name} | ${kinds.map((kind) => lines[kind]).join(' | ')} | ${sum(Object.values(lines))} |`)
